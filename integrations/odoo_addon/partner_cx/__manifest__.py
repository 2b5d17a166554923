{
    "name": "Partner CX",
    "summary": "Points, satisfaction and service quality of your partners, on their form",
    "version": "1.0.0",
    "category": "Sales/CRM",
    "license": "LGPL-3",
    "author": "Partner CX",
    "depends": ["base_setup", "contacts"],
    "data": [
        "security/partner_cx_groups.xml",
        "views/res_partner_views.xml",
        "views/res_config_settings_views.xml",
        "views/menus.xml",
    ],
    "post_init_hook": "post_init_hook",
    "installable": True,
    "application": True,
}
