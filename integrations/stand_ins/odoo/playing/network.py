"""Companies, their people and their grades, portal users and their logins."""

from __future__ import annotations

from typing import Any

from integrations.stand_ins.odoo.playing.stage import BORN, Moment, Stage, day

_COUNTRIES: dict[str, str] = {
    "FR": "France", "BE": "Belgium", "DE": "Germany", "CH": "Switzerland", "LU": "Luxembourg",
    "ES": "Spain", "IT": "Italy", "NL": "Netherlands", "GB": "United Kingdom", "AT": "Austria",
}  # fmt: skip


class Network:
    """Who is in the network. Ids are those of res.partner, but for users and their logins."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._grades: dict[str, int] = {}
        self._tags: dict[tuple[str, str], int] = {}
        self._countries: dict[str, int] = {}

    def company(
        self,
        ref: str,
        name: str,
        *,
        grade: str | None = None,
        under: int | None = None,
        tags: tuple[str, ...] = (),
        supplied_by: str | None = None,
        country: str = "FR",
        language: str = "en_US",
        salesperson: int | None = None,
        at: Moment = BORN,
        **values: Any,
    ) -> int:
        """A company. under: its distributor by `parent_id`. supplied_by: the tag naming it."""
        labels = [self.tag(each) for each in tags]
        if supplied_by:
            labels.append(self.tag(supplied_by, above="Supplied by"))
        given = {
            "ref": ref,
            "name": name,
            "is_company": True,
            "type": "other" if under else "contact",
            "parent_id": under or False,
            "grade_id": self.grade(grade) if grade else False,
            "date_partnership": day(at) if grade else False,
            "category_id": labels,
            "country_id": self.country(country),
            "lang": language,
            "user_id": salesperson or False,
            "email": f"office@{ref.lower()}.example",
        }
        return self._stage.add("res.partner", at, **(given | values))

    def contact(
        self, company: int, name: str, *, email: str = "", at: Moment = BORN, **values: Any
    ) -> int:
        above = self._stage.row("res.partner", company)
        domain = str(above.get("email") or "@partner.example").partition("@")[2]
        address = email or f"{name.lower().replace(' ', '.')}@{domain}"
        given = {"name": name, "parent_id": company, "email": address, "lang": above.get("lang")}
        return self._stage.add("res.partner", at, **(given | values))

    def staff(self, name: str, **values: Any) -> int:
        """Somebody of the brand's who answers. Answers the user's id."""
        login = f"{name.lower().replace(' ', '.')}@{self._stage.domain}"
        return self._stage.user(name, login, **values)

    def portal_user(self, contact: int, *, at: Moment = BORN) -> int:
        """A login to the portal for a contact. Answers the user's id."""
        row = self._stage.row("res.partner", contact)
        return self._stage.add("res.users", at, login=row["email"], partner_id=contact, share=True)

    def log_in(self, user: int, *at: Moment) -> list[int]:
        """Logins of a user, which leave a row each until Odoo's daily cleaning."""
        return [self._stage.add("res.users.log", moment, by=user) for moment in at]

    def clean_logins(self) -> int:
        """Odoo's daily cleaning: of each user only the last login stays. Answers how many went."""
        table = self._stage.stand_in.tables["res.users.log"]
        last: dict[Any, int] = {}
        for log in sorted(table.own_ids(), key=lambda each: table.kept[each]["create_date"]):
            last[table.kept[log].get("create_uid")] = log
        gone = [log for log in table.own_ids() if log not in last.values()]
        self._stage.stand_in.remove("res.users.log", *gone)
        return len(gone)

    def regrade(self, company: int, grade: str | None, *, at: Moment) -> None:
        value = self.grade(grade) if grade else False
        self._stage.change("res.partner", company, at, grade_id=value, date_review=day(at))

    def archive(self, partner: int, *, at: Moment) -> None:
        self._stage.change("res.partner", partner, at, active=False)

    def merge(self, loser: int, winner: int, *, at: Moment) -> None:
        """Two partners made one: the loser is deleted, all that pointed to it points to the winner.

        Odoo does it in the database: what is turned over keeps its write_date.
        """
        tables = self._stage.stand_in.tables
        for model in ("res.partner", "res.users", "sale.order", "sale.order.line", "account.move",
                      "stock.picking", "stock.move", "project.task", "crm.lead", "mail.message",
                      "slide.channel.partner", "survey.user_input", "loyalty.card"):  # fmt: skip
            table = tables[model]
            for record_id in table.own_ids():
                row = table.kept[record_id]
                moved = {
                    name: winner
                    for name, field in table.fields.items()
                    if field.relation == "res.partner"
                    and field.kind == "many2one"
                    and row.get(name) == loser
                }
                if moved:
                    table.put(record_id, row | moved)
        self._stage.stand_in.remove("res.partner", loser)
        self._stage.change("res.partner", winner, at)

    def grade(self, name: str) -> int:
        if name not in self._grades:
            place = len(self._grades) + 1
            self._grades[name] = self._stage.add(
                "res.partner.grade", BORN, name=name, sequence=place
            )
        return self._grades[name]

    def tag(self, name: str, *, above: str = "") -> int:
        if (above, name) not in self._tags:
            parent = self.tag(above) if above else False
            self._tags[above, name] = self._stage.add(
                "res.partner.category", BORN, name=name, parent_id=parent
            )
        return self._tags[above, name]

    def country(self, code: str) -> int:
        if code not in self._countries:
            self._countries[code] = self._stage.add(
                "res.country", BORN, name=_COUNTRIES.get(code, code), code=code
            )
        return self._countries[code]
