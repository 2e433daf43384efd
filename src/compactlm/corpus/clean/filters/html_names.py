"""The names of HTML elements, and of attributes that may have no value (WHATWG's HTML, with obsolete names)."""

from __future__ import annotations

# These have no effect on the spaces between words: "bold<b>ly</b>" reads "boldly".
INLINE = frozenset(
    """
    a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd mark nobr q s samp small span strike strong sub sup tt u var wbr
    """.split()
)
ELEMENTS = INLINE | frozenset(
    """
    address applet area article aside audio base basefont bgsound blink blockquote body br button canvas caption center col colgroup
    command content data datalist dd details dialog dir div dl dt element embed fieldset figcaption figure footer form frame frameset
    h1 h2 h3 h4 h5 h6 head header hgroup hr html iframe image img input isindex keygen label legend li link listing main map marquee
    math menu menuitem meta meter multicol nav nextid noembed noframes noscript object ol optgroup option output p param picture
    plaintext portal pre progress rb rp rt rtc ruby script search section select shadow slot source spacer style summary svg table
    tbody td template textarea tfoot th thead time title tr track ul video xmp
    """.split()
)
BARE_ATTRIBUTES = frozenset(
    """
    allowfullscreen alt async autofocus autoplay checked compact controls crossorigin declare default defer disabled download draggable
    formnovalidate hidden href inert ismap itemscope loop multiple muted nohref nomodule noresize noshade novalidate nowrap open
    playsinline readonly required reversed selected sortable translate truespeed
    """.split()
)
