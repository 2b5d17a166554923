// Says before it is sent that a file is too large. Without scripts the service says so itself.
for (const form of document.querySelectorAll("form[data-largest]")) {
  const input = form.querySelector("input[type=file]");
  const button = form.querySelector("button");
  input.addEventListener("change", () => {
    const file = input.files[0];
    const largest = Number(form.dataset.largest);
    input.setCustomValidity(file && file.size > largest ? `> ${largest / 1e6} MB` : "");
    input.reportValidity();
  });
  form.addEventListener("submit", (event) => {
    if (!input.checkValidity()) {
      event.preventDefault();
      input.reportValidity();
      return;
    }
    button.setAttribute("aria-busy", "true");
  });
}
