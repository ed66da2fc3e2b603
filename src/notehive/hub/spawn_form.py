"""The fields of the spawn form, as HTML; their looks are in hub/templates/notehive.css."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jinja2 import Environment

from notehive.hub.amounts import describe_size
from notehive.hub.config import HubConfig
from notehive.hub.holdings import Holding, shortage
from notehive.hub.rights import Rights

# Radio buttons, so that the arrow keys and screen readers work and no script is needed.
TEMPLATE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
{% for name, legend, cards, selected in fields %}
<fieldset class="nh-cards">
  <legend>{{ legend }}</legend>
  {% for card in cards %}
  <div class="nh-card">
    <label>
      <input type="radio" name="{{ name }}" value="{{ card.key }}" required
             {%- if card.key == selected %} checked{% endif %}
             {%- if card.refused %} disabled{% endif %}>
      <span class="nh-card-title">{{ card.title }}</span>
      {% for line in card.lines if line %}
      <span class="nh-card-line">{{ line }}</span>
      {% endfor %}
      {% if card.refused %}
      <span class="nh-card-line nh-refused">{{ card.refused }}</span>
      {% endif %}
    </label>
    {% if card.packages %}
    <details>
      <summary>{{ card.summary }}</summary>
      <ul>
        {% for package in card.packages %}
        <li>{{ package }}</li>
        {% endfor %}
      </ul>
    </details>
    {% endif %}
  </div>
  {% else %}
  <p>None is open to you. Ask an administrator for a group that has one.</p>
  {% endfor %}
</fieldset>
{% endfor %}
""")


class Card(NamedTuple):
    """One choice: the value sent, its title and what stands below."""

    key: str
    title: str
    lines: Sequence[str] = ()
    packages: Sequence[str] = ()  # of an image
    summary: str = ""  # what these packages are
    refused: str = ""  # why it cannot be chosen now


def render_form(config: HubConfig, rights: Rights, held: Holding, chosen: Mapping[str, Any]) -> str:
    """Give the form's fields for a user with these rights, whose servers hold so much.

    ``chosen`` is what to select, where it can be.
    """
    images = [_image_card(config, key) for key in rights.images]
    sizes = [_size_card(config, rights, held, key) for key in rights.sizes]
    return TEMPLATE.render(
        fields=[
            ("image", "Image", images, _selected(images, chosen.get("image"))),
            ("size", "Size", sizes, _selected(sizes, chosen.get("size"))),
        ]
    )


def _image_card(config: HubConfig, key: str) -> Card:
    image = config.images[key]
    title = image.title or key
    if image.release is None:
        return Card(key, title, [image.description], image.packages, "What is installed")
    base, day = config.images.get(image.release.on), image.release.at
    lines = [
        image.description,
        f"{key}, built on {(base and base.title) or image.release.on}",
        f"Released {day.day} {day:%b %Y} by {image.release.by}",
    ]
    return Card(key, title, lines, image.packages, "Added from Debian")


def _size_card(config: HubConfig, rights: Rights, held: Holding, key: str) -> Card:
    size = config.sizes[key]
    short = shortage(rights.limits, held, size.limit)
    return Card(key, size.title or key, describe_size(size), refused=short.words if short else "")


def _selected(cards: Sequence[Card], wish: object) -> str:
    # What was chosen once can have been removed from the settings since, or not fit now.
    free = [card.key for card in cards if not card.refused]
    return wish if isinstance(wish, str) and wish in free else next(iter(free), "")
