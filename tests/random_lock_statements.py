"""The statements of generated models that take and give back locks, well or badly."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from tests.random_bodies import Base, Place
from tests.random_expressions import LockVar, Scope
from tests.random_lock_kinds import (
    GUARDS,
    GUARDS_THAT_MAY_FAIL,
    INTERRUPTIBLE,
    IRQS,
    NESTED,
    OTHERS,
    PAIRS,
    READINGS,
    SPINNING,
    TESTS,
    TRIES,
    WAITS,
)


class LockStatements(Base):
    """Verbs, tries and guards."""

    def some_lock(self, scope: Scope, kinds: Container[str]) -> LockVar | None:
        found = tuple(lock for lock in scope.locks if lock.kind in kinds)
        return self.pen.one(found) if found else None

    def can_try(self, scope: Scope) -> bool:
        return any(lock.kind in TRIES for lock in scope.locks)

    def try_verb(self, scope: Scope) -> str:
        """Return a try of some lock; there must be one that can be tried."""
        lock = self.some_lock(scope, TRIES)
        assert lock is not None
        return f"{self.pen.one(TRIES[lock.kind])[0]}({self.instance(scope, lock)})"

    def instance(self, scope: Scope, lock: LockVar) -> str:
        return self.x.lock(replace(scope, locks=(lock,)))

    def some_pair(self, scope: Scope) -> tuple[str, str, str] | None:
        if not scope.locks:
            return None
        lock = self.pen.one(scope.locks)
        take, release = self.pen.one(PAIRS[lock.kind])
        self.pen.tag(take)
        return self.instance(scope, lock), take, release

    def _section(self, scope: Scope, place: Place) -> str:
        found = self.some_pair(scope)
        if found is None:
            return ""
        at, take, release = found
        inside = self.statements(scope, place, 2)
        if take in NESTED and self.pen.chance(25):
            self.pen.tag("lock-nested")
            return f"{take}_nested({at}, 1);\n{{ {inside} }}\n{release}({at});"
        if take == "down_write" and self.pen.chance(60):
            self.pen.tag("downgrade")
            after = self.statements(scope, place, 2)
            return f"{take}({at});\n{{ {inside} }}\ndowngrade_write({at});\n{{ {after} }}\nup_read({at});"
        return f"{take}({at});\n{{ {inside} }}\n{release}({at});"

    def _verb(self, scope: Scope, place: Place) -> str:
        """Return a release, right or wrong; or what switches interrupts off or on."""
        if not place.atomic and any(x.kind in SPINNING for x in scope.locks) and self.pen.chance(20):
            return self.masking(scope, place)
        found = self.some_pair(scope) if self.pen.chance(15) else None
        if found is None:
            return ""
        self.pen.tag("release-in-atomic" if place.atomic else "lone-release")
        return f"{found[2]}({found[0]});"

    def masking(self, scope: Scope, place: Place) -> str:
        """Return what switches (soft) interrupts off or on, as a rule without the other."""
        if self.pen.chance(75):
            self.pen.tag("irqs-off")
            return f"{self.pen.one(IRQS)}();"
        self.pen.tag("irqs-saved")
        flags = self.pen.fresh("flags")
        inside = self.statements(scope, replace(place, region=(*place.region, self.place_number())), 2)
        return f"{{\nvar {flags}: bool = local_irq_save();\n{{ {inside} }}\nlocal_irq_restore({flags});\n}}"

    def _wrong(self, scope: Scope, place: Place) -> str:
        found = self.some_pair(scope) if self.pen.chance(25) else None
        if found is None:
            return ""
        self.pen.tag("lone-lock")
        return f"{found[1]}({found[0]});"

    def _alive(self, scope: Scope, place: Place) -> str:
        """Return a verb of what keeps things alive, or a test of its state."""
        lock, rcu = self.some_lock(scope, OTHERS), "rcu" in self.waits
        if lock is None and not rcu:
            return ""
        kind = "rcu" if lock is None or (rcu and self.pen.chance(50)) else lock.kind
        at = "" if lock is None or kind == "rcu" else self.instance(scope, lock)
        if kind in READINGS and self.pen.chance(25):
            self.pen.tag("lock-reading")
            return f"if ({self.pen.one(READINGS[kind]).format(at)}) {self.block(scope, replace(place, depth=0), 1)}"
        if not place.atomic and kind == "rcu" and self.pen.chance(50):
            self.pen.tag("rcu-section")
            inside = replace(place, region=(*place.region, self.place_number()))
            return f"scoped_guard(rcu) {self.block(scope, inside, 2)}"
        waits = not place.atomic and not self.simple and self.pen.chance(40)
        self.pen.tag("alive-wait" if waits else "alive-verb")
        return self.pen.one((WAITS if waits else OTHERS)[kind]).format(at) + ";"

    def _try(self, scope: Scope, place: Place) -> str:
        if not self.can_try(scope) or (not place.atomic and self.pen.chance(50)):
            return ""
        self.pen.tag("try-in-atomic" if place.atomic else "try")
        target = self.target(scope, "bool")
        if target is not None and self.pen.chance(60):
            self.pen.tag("try-assigned-shared" if target.shared else "try-assigned")
            return f"{self.x.place(scope, target)} = {self.try_verb(scope)};"
        if self.pen.chance(40):
            test = self.pen.one(("", "!")) + self.try_verb(scope)
            return f"if ({test}) {self.block(scope, replace(place, depth=0), 1)}"
        return f"{self.try_verb(scope)};"

    def _tryif(self, scope: Scope, place: Place) -> str:
        lock = self.some_lock(scope, (*TRIES, "seqlock"))
        if lock is None:
            return ""
        at = self.instance(scope, lock)
        if lock.kind == "seqlock":
            return self._looking(scope, place, at)
        if lock.kind in INTERRUPTIBLE and self.pen.chance(35):
            self.pen.tag("lock-interruptible")
            verb, release = self.pen.one(INTERRUPTIBLE[lock.kind])
            return f"if ({verb}({at})) {{ {self.give(scope, place)} }}\n{release}({at});"
        verb, release = self.pen.one(TRIES[lock.kind])
        if self.pen.chance(35):
            self.pen.tag("try-negated")
            way = f"{{ {self.give(scope, place)} }}" if self.pen.chance(60) else self.block(scope, place, 1)
            return f"if (!{verb}({at})) {way}\n{release}({at});"
        if self.pen.chance(20):
            self.pen.tag("try-while")
            return f"while (!{verb}({at})) {{ skip; }}\n{release}({at});"
        self.pen.tag("try-condition")
        return f"if ({verb}({at})) {{\n{self.statements(scope, place, 1)}{release}({at});\n}}"

    def _looking(self, scope: Scope, place: Place, at: str) -> str:
        """Return a seqlock reader's section, with a retry that does something as a rule."""
        self.pen.tag("seqlock-section")
        inside = self.statements(scope, place, 2)
        again = self.pen.one(("if (!read_seqretry({}))", "if (read_seqretry({}))")).format(at)
        return f"read_seqbegin({at});\n{{ {inside} }}\n{again} {self.block(scope, place, 1)}"

    def _tested(self, scope: Scope, place: Place) -> str:
        lock = self.some_lock(scope, TESTS)
        if lock is None:
            return ""
        self.pen.tag("test-verb")
        return f"if ({self.pen.one(TESTS[lock.kind])}({self.instance(scope, lock)})) {self.block(scope, place, 1)}"

    def _guard(self, scope: Scope, place: Place) -> str:
        lock = self.some_lock(scope, GUARDS) if self.style == "guard" else None
        if lock is None:
            return ""
        kind = self.pen.one(GUARDS[lock.kind])
        self.pen.tag("guard", f"guard-{kind}")
        text = f"guard({kind})({self.instance(scope, lock)});"
        others = tuple(x for x in scope.locks if x is not lock and x.kind in GUARDS)
        if others and self.pen.chance(40):
            self.pen.tag("two-guards")
            other = self.pen.one(others)
            text += f"\nguard({self.pen.one(GUARDS[other.kind])})({self.instance(scope, other)});"
        return text

    def _scoped(self, scope: Scope, place: Place) -> str:
        lock = self.some_lock(scope, GUARDS)
        if lock is None:
            return ""
        kind = self.pen.one(GUARDS[lock.kind])
        if lock.kind in GUARDS_THAT_MAY_FAIL and self.pen.chance(40):
            kind = self.pen.one(GUARDS_THAT_MAY_FAIL[lock.kind])
            self.pen.tag("scoped_guard-try")
        self.pen.tag("scoped_guard")
        inside = replace(place, region=(*place.region, self.place_number()))
        return f"scoped_guard({kind}, {self.instance(scope, lock)}) {self.block(scope, inside, 2)}"

    def _cond(self, scope: Scope, place: Place) -> str:
        lock = self.some_lock(scope, GUARDS_THAT_MAY_FAIL)
        if lock is None:
            return ""
        self.pen.tag("scoped_cond_guard")
        fail = self.give(scope, place) if self.pen.chance(50) else "skip;"
        inside = replace(place, region=(*place.region, self.place_number()))
        kind, at = self.pen.one(GUARDS_THAT_MAY_FAIL[lock.kind]), self.instance(scope, lock)
        return f"scoped_cond_guard({kind}, {fail[:-1]}, {at}) {self.block(scope, inside, 2)}"
