from . import models


def post_init_hook(env):
    """Give the menu's action to those with the right.

    Without a group an action is for whoever may change companies. The field is called otherwise in
    18 than in 19, so that no data file for both can fill it.
    """
    action = env.ref("partner_cx.action_home")
    groups = "group_ids" if "group_ids" in action._fields else "groups_id"
    action[groups] = env.ref("partner_cx.group_user")
