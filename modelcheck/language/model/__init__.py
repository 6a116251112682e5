"""The Model: closed, typed, finite. Nothing is left to resolve.

Parameters are bound, ops inlined, records split, locks turned into variables and guarded steps with their
meaning attached. A thread is a program graph (Baier and Katoen, Principles of Model Checking, 2.1): its
locations, each with the one statement that runs from there.

Values are integers (see types.py). Expressions are over *cells*: a variable with its index values.
"""

from modelcheck.language.model.effects import Assign as Assign
from modelcheck.language.model.effects import Assume as Assume
from modelcheck.language.model.effects import Breach as Breach
from modelcheck.language.model.effects import Call as Call
from modelcheck.language.model.effects import Choose as Choose
from modelcheck.language.model.effects import Crossing as Crossing
from modelcheck.language.model.effects import Effect as Effect
from modelcheck.language.model.effects import Effects as Effects
from modelcheck.language.model.effects import Either as Either
from modelcheck.language.model.effects import Emit as Emit
from modelcheck.language.model.effects import Jump as Jump
from modelcheck.language.model.effects import Require as Require
from modelcheck.language.model.effects import Test as Test
from modelcheck.language.model.effects import jump_targets as jump_targets
from modelcheck.language.model.effects import walk_effects as walk_effects
from modelcheck.language.model.program import Access as Access
from modelcheck.language.model.program import By as By
from modelcheck.language.model.program import DeclaredOrder as DeclaredOrder
from modelcheck.language.model.program import Expectation as Expectation
from modelcheck.language.model.program import Handler as Handler
from modelcheck.language.model.program import Location as Location
from modelcheck.language.model.program import Model as Model
from modelcheck.language.model.program import Observation as Observation
from modelcheck.language.model.program import Obstacle as Obstacle
from modelcheck.language.model.program import Premise as Premise
from modelcheck.language.model.program import Property as Property
from modelcheck.language.model.program import Scenario as Scenario
from modelcheck.language.model.program import Thread as Thread
from modelcheck.language.model.program import Wait as Wait
from modelcheck.language.model.terms import FALSE as FALSE
from modelcheck.language.model.terms import FINISHED as FINISHED
from modelcheck.language.model.terms import TRUE as TRUE
from modelcheck.language.model.terms import And as And
from modelcheck.language.model.terms import Arith as Arith
from modelcheck.language.model.terms import At as At
from modelcheck.language.model.terms import Bound as Bound
from modelcheck.language.model.terms import Compare as Compare
from modelcheck.language.model.terms import Const as Const
from modelcheck.language.model.terms import Enabled as Enabled
from modelcheck.language.model.terms import Expr as Expr
from modelcheck.language.model.terms import GuardRule as GuardRule
from modelcheck.language.model.terms import Ite as Ite
from modelcheck.language.model.terms import Lock as Lock
from modelcheck.language.model.terms import LockAt as LockAt
from modelcheck.language.model.terms import Mover as Mover
from modelcheck.language.model.terms import Not as Not
from modelcheck.language.model.terms import Or as Or
from modelcheck.language.model.terms import Ref as Ref
from modelcheck.language.model.terms import Sum as Sum
from modelcheck.language.model.terms import Variable as Variable
from modelcheck.language.model.terms import VerbUse as VerbUse
from modelcheck.language.model.terms import operands as operands
from modelcheck.language.model.terms import refs as refs
from modelcheck.language.model.terms import subexpressions as subexpressions
