// Reads a rule back while it is typed, and changes its form without a button where one will do.
// Without this script the buttons “Check it” and “Change” do the same.

const WAITS_MS = 600;

for (const form of document.querySelectorAll("form.rule")) {
  const panel = document.getElementById("checked");
  let timer = 0;
  let asking = null;

  async function check() {
    asking?.abort();
    asking = new AbortController();
    const sent = new URLSearchParams(new FormData(form));
    sent.set("of", form.dataset.of);
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: sent, signal: asking.signal });
      if (answer.ok) panel.innerHTML = await answer.text();
    } catch {
      // The next key asks again; the button “Check it” is there, too.
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, WAITS_MS);
  });

  for (const button of form.querySelectorAll("button[data-with]")) {
    const choice = document.getElementById(button.dataset.with);
    let byKeys = false;
    button.hidden = true;
    choice.addEventListener("keydown", () => { byKeys = true; });
    choice.addEventListener("pointerdown", () => { byKeys = false; });
    choice.addEventListener("change", () => {
      if (byKeys) button.hidden = false;  // the arrows pass over choices that nobody made
      else form.requestSubmit(button);
    });
  }
}
