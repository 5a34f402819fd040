"""The executed notebook as a file: a sanitised fragment in a page that allows nothing to load.

The fragment was made in a container. It is not believed here: every tag must have one of the few
forms that the sanitiser writes, or there is no page.
"""

from __future__ import annotations

import re

from grader.text import for_html

__all__ = ["page_of"]

_TAG = re.compile(
    r"</?(?:div|span|p|pre|code|h[1-6]|ul|ol|li|blockquote|hr|br|strong|em|b|i|del|sub|sup|kbd"
    r"|table|thead|tbody|tfoot|tr|th|td|caption|dl|dt|dd)"
    r'(?: class="[A-Za-z0-9_ -]{1,200}"| (?:col|row)span="[0-9]{1,3}")*>'
    r'|<img src="data:image/(?:png|jpeg);base64,[A-Za-z0-9+/=]*" alt="figure">'
)
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2126; --soft: #59636e; }
body { background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 1.5rem auto;
  padding: 0 1rem; overflow-wrap: anywhere; }
pre { font: 13px/1.45 ui-monospace, monospace; overflow-x: auto; margin: 0; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: .15rem .6rem; text-align: right; }
tr:nth-child(even) { background: rgb(128 128 128 / 10%); }
img { max-width: 100%; background: white; }
.jp-InputArea, .input, .highlight { border-radius: 4px; background: rgb(128 128 128 / 8%); }
.highlight { padding: .5rem .7rem; }
.jp-Cell, .cell { margin: 1rem 0; }
.jp-InputPrompt, .jp-OutputPrompt, .prompt { font: 12px ui-monospace, monospace;
  color: var(--soft); }
.jp-OutputArea, .output { margin: .4rem 0 0 .7rem; }
.note-failed, .note-stored { border-left: 4px solid; padding: .3rem .7rem; margin: .4rem 0; }
.note-failed { border-color: #c62828; } .note-stored { border-color: #b26a00; }
.note-failed p, .note-stored p { margin: 0; font-weight: 600; }
.k, .kn, .kc, .kd, .ow { color: #7a3e9d; } .s, .s1, .s2, .sd, .sa { color: #1a6b2f; }
.c, .c1, .cm { color: var(--soft); font-style: italic; } .nf, .nc { color: #0b57b0; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181c; --ink: #e6eaee; --soft: #a3adb8; }
  .k, .kn, .kc, .kd, .ow { color: #c792ea; }
  .s, .s1, .s2, .sd, .sa { color: #a5d6a7; } .nf, .nc { color: #90caf9; } }
"""


def page_of(fragment: str, title: str) -> str:
    """The whole page; an empty text where the fragment holds anything but the known tags."""
    if not fragment or "<" in _TAG.sub("", fragment):
        return ""
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{for_html(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>{fragment}</main></body></html>\n"
    )
