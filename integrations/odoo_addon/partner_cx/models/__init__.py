from . import res_config_settings, res_partner
