from markupsafe import Markup
from odoo import _, fields, models
from odoo.exceptions import UserError

from ..asking import Unanswered, partner_shown, sign_in_link


class ResPartner(models.Model):
    """What Partner CX says of a partner, asked for when the form is opened. Nothing is kept."""

    _inherit = "res.partner"

    partner_cx_known = fields.Boolean(
        "Partner CX knows it", compute="_compute_partner_cx", groups="partner_cx.group_user"
    )
    partner_cx_points = fields.Char(
        "Partner CX points", compute="_compute_partner_cx", groups="partner_cx.group_user"
    )
    partner_cx_pnps = fields.Char(
        "Partner CX pNPS", compute="_compute_partner_cx", groups="partner_cx.group_user"
    )
    # Put together from escaped values below, so there is nothing to sanitize.
    partner_cx_states = fields.Html(
        "Partner CX quarter",
        compute="_compute_partner_cx",
        groups="partner_cx.group_user",
        sanitize=False,
    )
    partner_cx_lines = fields.Html(
        "Partner CX statement",
        compute="_compute_partner_cx",
        groups="partner_cx.group_user",
        sanitize=False,
    )
    partner_cx_note = fields.Char(
        "Partner CX note", compute="_compute_partner_cx", groups="partner_cx.group_user"
    )

    def _compute_partner_cx(self):
        asks = len(self) == 1  # a form, and not a list or an export of thousands
        for partner in self:
            shown, note = partner._partner_cx_shown() if asks else (None, False)
            told = shown or {}
            figures = told.get("figures", [])
            pnps = [each["value"] for each in figures if each["kpi"] == "pnps"]
            partner.partner_cx_known = bool(shown)
            partner.partner_cx_note = note
            partner.partner_cx_points = str(told.get("points", ""))
            partner.partner_cx_pnps = pnps[0] if pnps else False
            partner.partner_cx_states = self._partner_cx_states_table(told)
            partner.partner_cx_lines = self._partner_cx_lines_table(told)

    def _partner_cx_shown(self):
        """What Partner CX shows of this partner, and what to tell the user instead."""
        company = self.commercial_partner_id
        if not (company.id and self._partner_cx_parameter("address")):
            return None, False
        try:
            shown = partner_shown(
                self._partner_cx_parameter("address"),
                self._partner_cx_parameter("token"),
                company.id,
                self.env.lang,
            )
        except Unanswered as error:
            return None, str(error)
        return shown, False

    def _partner_cx_parameter(self, name):
        return self.env["ir.config_parameter"].sudo().get_param(f"partner_cx.{name}")

    def _partner_cx_states_table(self, told):
        rows = Markup("").join(
            Markup("<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>")
            % (each["label"], each["value"], each["target"] or "", each["state_told"] or "")
            for each in told.get("figures", [])
        )
        heads = (told.get("period") or "", _("Value"), _("Target"), _("State"))
        return self._partner_cx_table(heads, rows)

    def _partner_cx_lines_table(self, told):
        rows = Markup("").join(
            Markup("<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>")
            % (each["on"], each["why"], f"{each['points']:+d}", each["balance"])
            for each in told.get("lines", [])
        )
        return self._partner_cx_table((_("Day"), _("Why"), _("Points"), _("Balance")), rows)

    def _partner_cx_table(self, heads, rows):
        if not rows:
            return False
        head = Markup("").join(Markup("<th>%s</th>") % each for each in heads)
        return (
            Markup("<table class='table table-sm'><thead><tr>%s</tr></thead>") % head
            + Markup("<tbody>%s</tbody></table>") % rows
        )

    def action_partner_cx_open(self):
        """Sign the user in to Partner CX, at this partner's page."""
        self.ensure_one()
        return self._partner_cx_go(self.commercial_partner_id.id)

    def action_partner_cx_home(self):
        """Sign the user in to Partner CX, at its start."""
        return self._partner_cx_go(None)

    def _partner_cx_go(self, odoo_id):
        if not self.env.user.has_group("partner_cx.group_user"):
            raise UserError(_("Ask for the right “Partner CX: see partners”."))
        try:
            address = sign_in_link(
                self._partner_cx_parameter("address"),
                self._partner_cx_parameter("token"),
                # Not the e-mail address: that one a user may change to somebody else's.
                self.env.user.login,
                odoo_id,
            )
        except Unanswered as error:
            raise UserError(str(error)) from None
        return {"type": "ir.actions.act_url", "url": address, "target": "new"}
