"""Made texts whose sentences are known: single sentences that are joined by a seed, and texts with lines, lists and headings."""

from __future__ import annotations

import random
from collections.abc import Sequence

SENTENCES = """
The tenant must read Art. 5 of the lease before signing it.
Bring form No. 12 and two photographs to the desk.
Garcia et al. (2019) report the opposite.
The result of Moreau et al. holds only for small samples.
Under Sec. 4 the buyer pays for the transport.
Inserting Eq. 2 into Eq. 3 gives the bound.
The map is in vol. 3 on p. 45 of the atlas.
It weighs approx. 30 kilograms without the stand.
Gov. Alvarez met Sen. Whitfield and Rep. Osei on Friday.
They climbed Mt. Rainier and then drove to Ft. Lauderdale.
Oranges contain a good deal of vitamin C.
Her parents moved to the U.S.
The last train leaves at 5 p.m.
Doors open at 9 a.m. Monday and close late.
Mr. and Mrs. Okafor live next to Dr. Lindqvist.
J. K. Marlowe wrote the first draft in a week.
The poet W. H. Brandt never left his village.
The price rose from 3.5 to 4.75 dollars.
Version 2.0.1 fixes the crash, but 2.1 brings it back.
See https://example.org/a.b?c=1. for the full text, or ask.
The file is at example.com/readme.txt today.
Open config.yaml and change the second line.
"Where have you been?" she asked.
"Nobody told me," he said, "that the shop was closed."
She whispered, "Do not move."
"Stop!" Hannah shouted.
He called it "a mistake."
(The second edition has a longer preface.)
The second edition (see Fig. 7) has a longer preface.
Everyone laughed (even the judge).
Well... we could try again.
He opened the door, looked in, and...
And then there was silence\u2026
Is it raining?
What a goal!
Are you serious?!
Why would anyone, e.g. a teacher, do that?
Some birds, i.e. penguins and ostriches, cannot fly.
Apples, pears, plums, etc. are sold by weight.
The company, Halden Inc., was founded in 1921.
She works for Brightwater Ltd. in Leeds.
Two engineers left Halden Corp. last year.
It was the case of Fenwick vs. Harrow.
Compare cf. 12 with the older tables.
Prof. Adeyemi teaches at 10 a.m. on Tuesdays.
He received his Ph.D. in 1987.
The museum in Washington, D.C. is free.
Born on Jan. 5 in St. Louis, he grew up abroad.
Lt. Col. Ramos and Capt. Iversen signed the order.
The bakery is at 12 Elm St. near the bridge.
Take exit 4, i.e. the second one after the tunnel.
The meeting is on Sept. 3 at noon.
Figures for Aug. and Oct. are missing.
The patient has hepatitis B.
We decided on plan B.
My brother is taller than I.
Robert Downing Jr. was not there.
The U.N. Security Council met twice.
The U.S. Army denied it.
In 1999 the mill burned down.
It was finished in 1999.
Only 12 of 40 came.
About 3.2 million people watched it.
The temperature fell to -5.
He scored 9.5 out of 10.
Nobody knows what happened next.
Rain fell all night.
Children ran across the square.
Maria waited for an hour.
Anna and Tom repaired the roof.
London was quiet that day.
Most of them had never seen snow.
Although it was late, we went on.
If you see him, tell him to call.
When the lights went out, nobody moved.
However, the second test failed.
This took longer than planned.
These are the facts.
It depends.
They agreed.
You never know.
We were lucky, weren't we?
Who else would have come?
Thank you so much!
Never again!
Please close the window.
Let us begin with the smaller one.
Three boats were missing.
7 of them were found later.
2020 was a difficult year.
$40 was too much for a lamp.
iPhones were handed out at the door.
The so-called "end of an era" lasted a week.
Her book, "The Long Field," sold well.
Ch. 3 is about bees, and ch. 4 is about wasps.
Pages 3 ff. are torn.
The vote was 12 to 3 (with 2 abstentions).
The recipe needs 2 tbsp of oil, 1 tsp of salt, etc.
Send it to 40 Harbour Rd. before noon.
The rule (cf. para. 7) is strict.
A. Petrov and B. Nilsen shared the prize.
George H. W. Hollis read the will.
Is Dr. Chen in?
The sign said "No Entry!"
He asked, "Why me?"
The clerk typed c. 1850 beside the portrait.
Rev. Doyle and Hon. Justice Pell attended.
The tower is 300 ft. tall with its mast.
The dept. of botany moved in 2003.
Max. 20 persons are allowed in the lift.
The min. age is 18.
Supper is at 7:30 p.m. in the hall.
Mix it for 2.5 min. and let it rest.
The letter ends with a P.S. about money.
Yes.
No!
Why not?
Good night.
The answer to question No. 7 is no.
My point is this: read the contract.
Rock, paper, scissors; that is the game.
The dog \u2013 an old one \u2013 slept.
Nothing else mattered.
Ask Ms. Tanaka, not Mr. Holt.
The engine (built in St. Petersburg) failed at 3 a.m. on Sunday.
The boat left at 6 a.m.
It rained in the U.K.
He holds an M.D. from Lagos.
The firm is now called Norling Co.
Everything was sold, the chairs, the lamps, etc.
Turn to p. 9.
""".strip().splitlines()

# A bar stands before each sentence but the first of a text.
TEXTS = [
    "Introduction\n|The method is simple and works well.| It needs one pass.\n\n|Results\n|Every test passed on the first day.",
    "# Opening hours\n|We open at nine.| On Sundays we are closed.\n|## Prices\n|Adults pay four dollars.",
    "Shopping list\n|- two loaves of bread\n|- a litre of milk\n|- apples, pears, etc.\n|- soap",
    "Please do this:\n|1. Open the box.\n|2. Take out the lamp.\n|3. Plug it in.| It should glow.",
    "Steps: 1. Open the box. |2. Take out the lamp. |3. Plug it in.",
    "\u2022 Fast |\u2022 Small |\u2022 Free of charge",
    "* no full stop here\n|* nor here\n|* but here.| And a second sentence.",
    "a) The first case is easy.\n|b) The second is not.\n|(c) The third is open.",
    "The committee met in\nParis on Monday.| It will meet again in\nMay or June, according to the\nminister of trade.",
    "This paragraph is wrapped at some sixty characters a line, as\nletters and manuals are.| Lines end where the next word has no\n"
    "room, before Capital words too, and sentences go\non.| The last one ends here.",
    "The Long Field\n============\n|It was a cold morning.| Nobody came.",
    "Summary\n-------\n|Sales rose.\n\n|Outlook\n|Sales may fall.",
    "Dear Ms. Tanaka,\nthank you for the parcel.| It arrived at 5 p.m.| The lamp works.\n|Yours,\nTom",
    "Quiet street\n|Big garden\n|No pets\n|Call after 6 p.m.| Ask for Anna.",
    "i. Read the contract.\n|ii. Sign it.\n|iii. Send it back.",
    "Fruit:\n|\u2022 apples from Mt. Vernon\n|\u2022 pears\n|Vegetables:\n|\u2022 beans",
    "\u4eca\u65e5\u306f\u96e8\u3067\u3059\u3002|\u660e\u65e5\u306f\u6674\u308c\u3067\u3059\u3002|\u672c\u5f53\u3067\u3059\u304b\uff1f|\u306f\u3044\u3002",
    "\u00bfD\u00f3nde est\u00e1?| \u00a1Aqu\u00ed!| No lo s\u00e9.",
    "Er kam am Montag.| Sie blieb, d.h. sie wartete, bis Dr. Brandt kam.| Niemand sprach.",
    "He paused . . .| Then he went on.| She left .| Nobody saw it .",
    "what a day.\nwe lost again. but who cares!| OK.",
    "1.2 Scope\n|This section says what is covered.| Clause 4.3.2 says what is not.",
    "Q: Is it open?\n|A: Yes.| From 9 a.m.\n|Q: And on Sundays?\n|A: No.",
]
JOINTS = (" ", " ", " ", "  ")


def made_texts(boundaries: int, seed: int = 17) -> list[list[str]]:
    """Return texts as lists of pieces, one for each sentence, with at least this many boundaries between sentences."""
    found = [text.split("|") for text in TEXTS]
    draw = random.Random(seed)
    while sum(len(pieces) - 1 for pieces in found) < boundaries:
        chosen = draw.sample(SENTENCES, 6)
        found.append([sentence + draw.choice(JOINTS) for sentence in chosen])
    return found


def ends(pieces: Sequence[str]) -> set[int]:
    """Return the numbers of characters, without white space and underlines, before each boundary between pieces."""
    places, total = set(), 0
    for piece in pieces[:-1]:
        total += len("".join(piece.split()).replace("====", "").replace("-------", ""))
        places.add(total)
    return places
