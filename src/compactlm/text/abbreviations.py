"""Abbreviations and frequent first words of sentences, for compactlm.text.sentences. All are in lower case, without the last full stop."""

from __future__ import annotations

# A name follows.
TITLES = frozenset(
    "mr mrs ms mx dr prof messrs mme mlle gov sen rep pres lt sgt capt col cpl maj cmdr adm gen rev hon supt insp herr frau".split()
)
# A sentence goes on after these.
NEVER = frozenset("vs e.g i.e eg ie cf viz ca resp incl excl bzw z.b d.h u.a".split())
# A number, a Roman numeral or a letter follows.
NUMBERED = frozenset(
    """
    no nos nr art arts sec secs sect eq eqs fig figs vol vols p pp ch chap chaps ed eds para paras pt pts tab app cl ver v c b d r f ff l ll
    approx est op ex thm lem def prop rm apt ste jan feb mar apr jun jul aug sep sept oct nov dec abs ziff bd
    """.split()
)
# A sentence may end after these; then a frequent first word follows.
GENERAL = frozenset(
    """
    st mt mts ft rd ave blvd hwy sr jr esq inc ltd co corp bros llc plc gmbh al dept univ assn assoc gov't govt intl natl mfg dist div bldg
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun fig eq vol chap ed eds trans approx est
    calif mass penn conn ill wash ariz colo fla mich minn okla tenn tex wis ont que ph.d ph.d.s m.sc b.sc d.phil min max avg tel ext misc
    orig ser str usw ggf vgl
    """.split()
)
HOURS = frozenset(("a.m", "p.m"))
AFTER_HOURS = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thurs fri sat sun january february march april may june
    july august september october november december est edt cst cdt mst mdt pst pdt gmt utc cet cest bst eastern central pacific
    """.split()
)
# A letter after these is no initial.
LETTERED = frozenset(
    """
    vitamin vitamins hepatitis grade grades plan type types class group option options section part parts point column figure table appendix
    schedule exhibit team block level line variable letter note key size cup drive division series side gate terminal zone area room version
    language step case set model category phase wing floor unit tier rank string strain factor protein flat minor major sharp
    """.split()
)
BEFORE_I = frozenset("and than do did am was as can could will would should have had are does may might or nor".split())
STARTERS = frozenset(
    """
    the this that these those it its it's he she they we you i i'm i've there then here however but and so if when while after before in on
    at as for by with from to a an no yes what who why how where which whose his her their our my your some many most all each every both
    not now yet also although because since until once meanwhile moreover furthermore nevertheless instead finally first second third later
    today yesterday tomorrow let please do did does is are was were can could would should have has had one two three such other another any
    nobody everyone someone nothing everything people only even just still perhaps maybe or nor under over during between through without
    within despite unlike like according don't didn't isn't thus hence therefore otherwise several few more
    """.split()
)
SAYING = frozenset("said says say asked asks replied replies cried shouted whispered answered added wrote explained thought yelled".split())
