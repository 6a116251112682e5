"""The statements of generated models that take and give back locks, well or badly."""

from __future__ import annotations

from dataclasses import replace

from tests.random_bodies import Base, Place
from tests.random_expressions import LockVar, Scope

PAIRS = {"mutex": (("mutex_lock", "mutex_unlock"),), "percpu_rwsem": (
    ("percpu_down_read", "percpu_up_read"), ("percpu_down_write", "percpu_up_write"))}  # fmt: skip
PAIRS["spinlock"] = (
    ("spin_lock", "spin_unlock"), ("spin_lock_irqsave", "spin_unlock_irqrestore"),
    ("spin_lock_irq", "spin_unlock_irq"), ("spin_lock_bh", "spin_unlock_bh"))  # fmt: skip
IRQS = ("local_irq_disable", "local_irq_enable", "local_irq_save", "local_bh_disable", "local_bh_enable")
TRIES = {"spinlock": "spin_trylock", "mutex": "mutex_trylock", "percpu_rwsem": "percpu_down_read_trylock"}
TESTS = {
    "spinlock": ("spin_is_locked",),
    "mutex": ("mutex_is_locked",),
    "percpu_rwsem": ("percpu_is_write_locked", "percpu_is_read_locked"),
}
GUARDS = {
    "spinlock": ("spinlock", "spinlock_irq", "spinlock_irqsave", "spinlock_bh"),
    "mutex": ("mutex", "device"),
    "percpu_rwsem": ("percpu_read", "percpu_write"),
}


class LockStatements(Base):
    """Verbs, tries and guards."""

    def try_verb(self, scope: Scope) -> str:
        lock = self.pen.one(scope.locks)
        return f"{TRIES[lock.kind]}({self.instance(scope, lock)})"

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
        if take == "mutex_lock" and self.pen.chance(10):
            self.pen.tag("mutex_lock_nested")
            take, at = "mutex_lock_nested", f"{at}, 1"
            return f"{take}({at});\n{{ {inside} }}\n{release}({at[:-3]});"
        return f"{take}({at});\n{{ {inside} }}\n{release}({at});"

    def _verb(self, scope: Scope, place: Place) -> str:
        """Return a release, right or wrong; or what switches interrupts off or on."""
        if not place.atomic and any(x.kind == "spinlock" for x in scope.locks) and self.pen.chance(20):
            self.pen.tag("irqs-off")
            return f"{self.pen.one(IRQS)}();"
        found = self.some_pair(scope) if self.pen.chance(15) else None
        if found is None:
            return ""
        self.pen.tag("release-in-atomic" if place.atomic else "lone-release")
        return f"{found[2]}({found[0]});"

    def _wrong(self, scope: Scope, place: Place) -> str:
        found = self.some_pair(scope) if self.pen.chance(25) else None
        if found is None:
            return ""
        self.pen.tag("lone-lock")
        return f"{found[1]}({found[0]});"

    def _try(self, scope: Scope, place: Place) -> str:
        if not scope.locks or (not place.atomic and self.pen.chance(50)):
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
        if not scope.locks:
            return ""
        lock = self.pen.one(scope.locks)
        at = self.instance(scope, lock)
        release = PAIRS[lock.kind][0][1]
        if self.pen.chance(35):
            self.pen.tag("try-negated")
            way = f"{{ {self.give(scope, place)} }}" if self.pen.chance(60) else self.block(scope, place, 1)
            return f"if (!{TRIES[lock.kind]}({at})) {way}\n{release}({at});"
        if self.pen.chance(20):
            self.pen.tag("try-while")
            return f"while (!{TRIES[lock.kind]}({at})) {{ skip; }}\n{release}({at});"
        if lock.kind == "mutex" and self.pen.chance(30):
            self.pen.tag("lock-interruptible")
            verb = self.pen.one(("mutex_lock_interruptible", "mutex_lock_killable"))
            return f"if ({verb}({at})) {{ {self.give(scope, place)} }}\nmutex_unlock({at});"
        self.pen.tag("try-condition")
        return f"if ({TRIES[lock.kind]}({at})) {{\n{self.statements(scope, place, 1)}{release}({at});\n}}"

    def _tested(self, scope: Scope, place: Place) -> str:
        if not scope.locks:
            return ""
        lock = self.pen.one(scope.locks)
        self.pen.tag("test-verb")
        return f"if ({self.pen.one(TESTS[lock.kind])}({self.instance(scope, lock)})) {self.block(scope, place, 1)}"

    def _guard(self, scope: Scope, place: Place) -> str:
        if self.style != "guard" or not scope.locks:
            return ""
        lock = self.pen.one(scope.locks)
        kind = self.pen.one(GUARDS[lock.kind])
        self.pen.tag("guard", f"guard-{kind}")
        text = f"guard({kind})({self.instance(scope, lock)});"
        if len(scope.locks) > 1 and self.pen.chance(40):
            self.pen.tag("two-guards")
            other = self.pen.one(tuple(x for x in scope.locks if x is not lock))
            text += f"\nguard({self.pen.one(GUARDS[other.kind])})({self.instance(scope, other)});"
        return text

    def _scoped(self, scope: Scope, place: Place) -> str:
        if not scope.locks:
            return ""
        lock = self.pen.one(scope.locks)
        kind = self.pen.one(GUARDS[lock.kind])
        if lock.kind == "mutex" and self.pen.chance(40):
            kind = self.pen.one(("mutex_try", "mutex_intr"))
            self.pen.tag("scoped_guard-try")
        self.pen.tag("scoped_guard")
        inside = replace(place, region=(*place.region, self.place_number()))
        return f"scoped_guard({kind}, {self.instance(scope, lock)}) {self.block(scope, inside, 2)}"

    def _cond(self, scope: Scope, place: Place) -> str:
        mutexes = tuple(x for x in scope.locks if x.kind == "mutex")
        if not mutexes:
            return ""
        self.pen.tag("scoped_cond_guard")
        fail = self.give(scope, place) if self.pen.chance(50) else "skip;"
        inside = replace(place, region=(*place.region, self.place_number()))
        at = self.instance(scope, self.pen.one(mutexes))
        body = self.block(scope, inside, 2)
        return f"scoped_cond_guard({self.pen.one(('mutex_try', 'mutex_intr'))}, {fail[:-1]}, {at}) {body}"
