from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    partner_cx_address = fields.Char(
        "Partner CX address",
        config_parameter="partner_cx.address",
        help="Where its pages are, such as https://cx.brand.example",
    )
    partner_cx_token = fields.Char(
        "Partner CX token",
        config_parameter="partner_cx.token",
        help="Made by: partner-cx tokens issue odoo --scope odoo",
    )
