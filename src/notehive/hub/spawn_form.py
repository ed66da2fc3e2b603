"""Cards to choose from, as HTML; their looks are in hub/templates/notehive.css."""

from collections.abc import Sequence
from typing import NamedTuple

from jinja2 import Environment

# Radio buttons, so that the arrow keys and screen readers work and no script is needed.
TEMPLATE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
{% for name, legend, cards, selected in fields %}
<fieldset class="nh-cards">
  <legend>{{ legend }}</legend>
  {% for card in cards %}
  <label class="nh-card">
    <input type="radio" name="{{ name }}" value="{{ card.key }}" required
           {%- if card.key == selected %} checked{% endif %}>
    <span class="nh-card-title">{{ card.title }}</span>
    {% for line in card.lines if line %}
    <span class="nh-card-line">{{ line }}</span>
    {% endfor %}
  </label>
  {% else %}
  <p>None is open to you. Ask an administrator for a group that has one.</p>
  {% endfor %}
</fieldset>
{% endfor %}
""")


class Card(NamedTuple):
    """One choice: the value sent, its title and the lines below."""

    key: str
    title: str
    lines: Sequence[str]


def render_cards(fields: Sequence[tuple[str, str, Sequence[Card], str]]) -> str:
    """Give a group of cards for each (form field, legend, cards, key of the selected one)."""
    return TEMPLATE.render(fields=fields)
