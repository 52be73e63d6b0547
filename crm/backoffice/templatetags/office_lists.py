"""What templates of lists show that other apps add."""

from typing import Any

from django import template

from crm.backoffice.list_buttons import buttons_of

register = template.Library()


@register.inclusion_tag("backoffice/list_buttons.html", takes_context=True)
def list_buttons(context: Any, cl: Any) -> dict[str, Any]:
    """The buttons above a list that higher floors add."""
    return {"buttons": buttons_of(cl.model, context["request"])}
