"""For each code that a text can have, a short text that has it: what `modelcheck explain` shows of a mistake.

Nothing that is said about them is written down here: the text is read, and what is found is told.
"""

from __future__ import annotations

MISTAKES: dict[str, str] = {
    "MC001": "model m;\nmutex l\nthread t { mutex_lock(l); mutex_unlock(l); }\n",
    "MC004": 'model m;\nimport "nowhere.mck";\nthread t { skip; }\n',
    "MC005": 'model m;\nimport "example.mck";\nthread t { skip; }\n',
    "MC006": "model m;\nvar x: bool marked;\nthread t { x = true; }\nproperty p: eventually(x);\n",
    "MC010": "model m;\nmutex device_lock;\nthread t { mutex_lock(device_lok); }\n",
    "MC011": "model m;\nmutex l;\nspinlock l;\nthread t { skip; }\n",
    "MC012": "model m;\nmutex l;\nvar x: bool;\nthread t { x = l; }\n",
    "MC020": "model m;\nvar ready: bool;\nthread t { ready = 1; }\n",
    "MC021": "model m;\nvar users: 0..3;\nthread t { if (users) { skip; } }\n",
    "MC022": "model m;\nvar users: 0..3;\nthread t { await(0 < users < 3); }\n",
    "MC023": "model m;\nvar flags: 0..3;\nthread t { await(flags & 1 == 0); }\n",
    "MC024": "model m;\nop online(block: 0..3) { skip; }\nthread t { online(1, 2); }\n",
    "MC025": "model m;\nvar n: 1..3;\ntype Block = 0 .. n;\nthread t { skip; }\n",
    "MC026": "model m;\ntype Block = 3 .. 1;\nthread t { skip; }\n",
    "MC027": "model m;\nvar users: 0..3 = 4;\nthread t { skip; }\n",
    "MC028": "model m;\nconst PAGES = 9_000_000_000_000_000_000 * 4;\nthread t { skip; }\n",
    "MC029": "model m;\nvar online: set of 0..3;\nthread t { online += {1}; }\n",
    "MC030": "model m;\nspinlock l;\nthread t { mutex_lock(l); }\n",
    "MC031": (
        "model m;\nop blocks() -> 0..3 { return 2; }\nvar n: 0..9 marked;\nthread t { n = blocks() + 1; }\n"
    ),
    "MC032": "model m;\nop online() { skip; }\nvar ok: bool;\nthread t { ok = online(); }\n",
    "MC033": "model m;\nop online() { return 0; }\nthread t { online(); }\n",
    "MC036": "model m;\nmutex a;\nmutex b;\norder a < b;\norder b < a;\nthread t { skip; }\n",
    "MC040": "model m;\nop retry() { skip; retry(); }\nthread t { retry(); }\n",
    "MC041": "model m;\nthread t { loop { } }\n",
    "MC042": "model m;\nmutex l;\nthread t {\n    guard(mutex)(l);\n    goto out;\nout:\n    skip;\n}\n",
    "MC043": "model m;\nthread t { goto out; }\n",
    "MC044": "model m;\nmutex l;\nthread t { atomic { mutex_lock(l); } mutex_unlock(l); }\n",
    "MC045": "model m;\nthread t { break; }\n",
    "MC046": "model m;\nvar n: 0 .. 9_999_999;\nthread t { for (i: 0 .. 9_999_999) { n = i; } }\n",
    "MC050": "model m;\nvar n: 0..3 marked;\nthread t { n = 1; }\ninvariant rises: next(n) > n;\n",
    "MC051": "model m;\nvar n: 0..3 marked;\nthread t { await(finished(u)); }\nthread u { n = 1; }\n",
    "MC052": "model m;\nmutex l;\nthread t { skip; }\ninvariant free_lock: mutex_trylock(l);\n",
    "MC060": "model m;\nparam BLOCKS: 1..4 = 2;\nthread t { skip; }\nscenario large { BLOCKS = 7; expect holds; }\n",
    "MC061": "model m;\nthread t { skip; }\nscenario s { expect deadlok; }\n",
    "MC062": "model m;\noverride op online() { skip; }\nthread t { skip; }\n",
    "MC064": "model m;\n",
    "MC070": "model m;\nvar a: 0..3 marked;\nvar b: 0..3 marked;\nthread t { a = b; }\n",
}

NOT_IN_A_TEXT = {
    "MC002": "a file that is not there",
    "MC003": "a text of a megabyte, or brackets a hundred deep",
    "MC007": "a place where nothing can be written",
    "MC008": "files of logs and of lock records",
    "MC009": "a trace file",
    "MC063": "a parameter that is given on the command line, too",
}
"""Codes without an example, and what it takes to see them."""
