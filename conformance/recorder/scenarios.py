"""What is asked of a kernel, one operation after the other. A scenario gets a machine without memory devices.

Each is a function whose name is the scenario's and whose docstring goes into the record.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable

from recorder.machine import Setting
from recorder.session import BLOCK, MIB, Session, path_of

Scenario = Callable[[Session], None]
WORDS = ("online", "online_kernel", "online_movable", "offline")
NONSENSE = (
    *(b"", b"\n", b"foo", b"Online", b"online ", b" online", b"online\n\n", b"onlin", b"online_", b"0", b"1"),
    *(b"going-offline", b"online\0", b"online\0rest", b"online_movable\n", b"offline\r\n", b"x" * 4000),
)


def _plugged(session: Session, blocks: int) -> int:
    """Add a device of so many blocks; return the number of the first."""
    address = session.first_address()
    session.add("d1", blocks * 128, address)
    return address // BLOCK


def boot_reads(session: Session) -> None:
    """Every file of two blocks, writes to files that only show something, and to a block that is not there."""
    session.observe(whole=True)
    for file in ("block_size_bytes", "auto_online_blocks"):
        session.read(file)
    for block in (0, 1):
        for file in ("state", "valid_zones", "phys_index", "phys_device", "removable", "online"):
            session.read(block, file)
    for file in ("phys_index", "phys_device", "removable", "valid_zones"):
        session.write(1, "1", file, look=False)
    session.write(999, "online", look=False)


def words(session: Session) -> None:
    """Each word in each state of a block."""
    block = _plugged(session, 1)
    for before, word, end in itertools.product((None, *WORDS[:3]), WORDS, ("", "\n")):
        if session.seen["blocks"][str(block)][0] == "online":
            session.write(block, "offline", look=False)
        if before:
            session.write(block, before)
        session.write(block, word + end)


def nonsense(session: Session) -> None:
    """Words that nobody knows, in each file, on an offline and an online block."""
    block = _plugged(session, 1)
    for before in ("offline", "online"):
        if before == "online":
            session.write(block, "online")
        for text in NONSENSE:
            session.write(block, text)
    session.write(block, "offline")
    for text in (b"2", b"y", b"n", b"on", b"off", b"true", b"", b"1x", b"maybe"):
        session.write(block, text, "online")
    for text in NONSENSE[:8]:
        session.policy(text, look=False)


def stale_type(session: Session) -> None:
    """A refused word leaves its type behind: what does `online` do then?"""
    block = _plugged(session, 1)
    for first, refused in (("online_kernel", "online_movable"), ("online_movable", "online_kernel")):
        session.write(block, first)
        session.write(block, refused)
        session.write(block, "offline")
        for text in ("1", "0", "1", "0"):
            session.write(block, text, "online")
    session.write(block, "online_kernel")
    session.write(block, "online_movable")
    session.write(block, "offline")
    session.write(block, "online")


def neighbours(session: Session) -> None:
    """The default zone of a block between blocks in all zones."""
    block = _plugged(session, 3)
    for before, after in itertools.product((None, "online_kernel", "online_movable"), repeat=2):
        for number, word in ((block, before), (block + 2, after)):
            if word:
                session.write(number, word, look=False)
        session.observe()
        session.write(block + 1, "online")
        for number in range(block, block + 3):
            session.write(number, "offline", look=False)


def overlaps(session: Session) -> None:
    """Spans of zones that lie across each other, and what is left of them."""
    block = _plugged(session, 6)
    for order in ("k0 m1 k2 m3 k4 m5", "m0 k5 m2 k3 d1 d4", "m5 m0 d2 k3 d1 d4", "m3 m1 d2 d0 d4 k5"):
        for each in order.split():
            word = {"k": "online_kernel", "m": "online_movable", "d": "online"}[each[0]]
            session.write(block + int(each[1]), word)
        for number in (0, 5, 2):
            session.write(block + number, "offline")
        for number in (2, 0, 5):
            session.write(block + number, "online")
        for number in (3, 1, 4, 2, 0, 5):
            session.write(block + number, "offline")


def policies(session: Session) -> None:
    """Every policy for memory that is added; what is there already stays as it is."""
    address = session.first_address()
    for word in ("offline", "online", "online_kernel", "online_movable"):
        session.policy(word)
        session.add("d1", 256, address)
        session.policy("offline")
        session.policy(word)
        session.remove("d1")
    session.policy("offline")
    session.add("d1", 256, address)
    session.policy("online_movable")
    session.add("d2", 256, address + 2 * BLOCK)
    session.policy("offline")


def two_devices(session: Session) -> None:
    """Two devices with a hole between them, and a third that fills it."""
    address = session.first_address()
    block = address // BLOCK
    session.add("d1", 256, address)
    session.add("d3", 256, address + 4 * BLOCK)
    for number, word in ((0, "online_movable"), (4, "online_movable"), (1, "online"), (5, "online")):
        session.write(block + number, word)
    session.add("d2", 256, address + 2 * BLOCK)
    session.write(block + 2, "online")
    session.write(block + 3, "online_kernel")
    for device in ("d2", "d1", "d3"):
        session.remove(device)


def ejections(session: Session) -> None:
    """A device goes whose blocks are offline, movable, or in a kernel zone that holds what cannot move."""
    address = session.first_address()
    for first, second in (
        (None, None),
        ("online_movable", "online_movable"),
        (None, "online_movable"),
        ("online", None),
    ):
        if "d1" not in session.devices:
            session.add("d1", 256, address)
        for number, word in enumerate((first, second)):
            if word:
                session.write(address // BLOCK + number, word)
        session.remove("d1")


def unaligned(session: Session) -> None:
    """Devices that are no multiple of a block, and one that lies where another is."""
    address = session.first_address()
    for name, size in (("d1", 64), ("d2", 192)):
        session.add(name, size, address)
        session.remove(name)
    session.add("d3", 128, address + 64 * MIB)
    session.remove("d3")
    session.add("d4", 128, address)
    session.add("d5", 128, address)


def notifiers(session: Session) -> None:
    """A notifier refuses; a policy stops at the first block that cannot come online."""
    address = session.first_address()
    block = _plugged(session, 3)
    for number in (-12, -16, -22, -1):
        session.inject("GOING_ONLINE", number)
        session.write(block, "online_movable")
        session.write(block, "1", "online")
    session.inject("GOING_ONLINE", 0)
    session.write(block, "1", "online")
    session.write(block + 1, "online_movable")
    for number in (-12, -16):
        session.inject("GOING_OFFLINE", number)
        session.write(block + 1, "offline")
        session.remove("d1")
    session.inject("GOING_OFFLINE", 0)
    session.policy("online_movable")
    session.inject("GOING_ONLINE", -12)
    session.add("d2", 256, address + 4 * BLOCK)
    session.inject("GOING_ONLINE", 0)


def pinned(session: Session) -> None:
    """A page that somebody holds: a signal ends the attempt to offline its block."""
    address = session.first_address()
    block = _plugged(session, 2)
    for number in range(2):
        session.write(block + number, "online_movable")
    held = session.pin(address, address + 2 * BLOCK)
    if held is not None:
        session.write(held, "offline", signal=1500)
        session.write(held, "offline", signal=4000)
        session.unpin()
        session.write(held, "offline")


def nodes(session: Session) -> None:
    """Devices on two nodes: links, and zones that are each node's own."""
    address = session.first_address()
    block = address // BLOCK
    session.add("d1", 256, address, node=1)
    session.add("d0", 256, address + 2 * BLOCK, node=0)
    for number, word in ((0, "online_movable"), (1, "online"), (2, "online_movable"), (3, "online")):
        session.write(block + number, word)
    for number in (2, 0, 1):
        session.write(block + number, "offline")
    session.write(block + 2, "online")
    session.remove("d1")


def boot_memory(session: Session) -> None:
    """Blocks that were there at boot: holes, several zones, what cannot move."""
    numbers = sorted(int(number) for number in session.seen["blocks"])
    for number in numbers[:3] + numbers[-3:]:
        if not session.write(number, "offline")["errno"]:
            session.write(number, "online")


def processors(session: Session) -> None:
    """A processor goes and comes between operations on memory."""
    block = _plugged(session, 2)
    file = path_of("/sys/devices/system/cpu/cpu1/online")
    for text in ("0", "0", "1"):
        session.write(file, text, look=False)
        session.write(block, "online_movable")
        session.write(block, "offline")


def walk(seed: int, steps: int = 45) -> Scenario:
    """Return a random walk over two devices."""

    def scenario(session: Session) -> None:
        choice = random.Random(seed)
        address = session.first_address()
        sizes = {"a": choice.randint(1, 3), "b": choice.randint(1, 3)}
        places = {"a": address, "b": address + choice.choice((3, 4)) * BLOCK}
        for device, size in sizes.items():
            session.add(device, size * 128, places[device])
        for _ in range(steps):
            _random_step(session, choice, sizes, places)

    scenario.__name__ = f"walk{seed}"
    scenario.__doc__ = f"A random walk of {steps} steps over two devices, seed {seed}."
    return scenario


def _random_step(
    session: Session, choice: random.Random, sizes: dict[str, int], places: dict[str, int]
) -> None:
    here = [places[d] // BLOCK + n for d in sizes if d in session.devices for n in range(sizes[d])]
    block = choice.choice(here or [places["a"] // BLOCK])
    match choice.choices(("device", "policy", "file", "nonsense", "word"), (10, 8, 8, 3, 71))[0]:
        case "device":
            device = choice.choice(sorted(sizes))
            if device in session.devices:
                session.remove(device)
            else:
                session.add(device, sizes[device] * 128, places[device])
        case "policy":
            session.policy(choice.choice(WORDS))
        case "file":
            session.write(block, choice.choice("01"), "online")
        case "nonsense":
            session.write(block, choice.choice(("foo", "online_normal", "")))
        case _:
            session.write(block, choice.choice((*WORDS, "offline")))


BASIC = (boot_reads, words, nonsense, stale_type, neighbours, overlaps, policies, two_devices, ejections)
ALL = (*BASIC, unaligned, notifiers, pinned, boot_memory, processors)
TWO_NODES = (
    *("-object", "memory-backend-ram,id=n0,size=384M", "-object", "memory-backend-ram,id=n1,size=384M"),
    *("-numa", "node,nodeid=0,cpus=0,memdev=n0", "-numa", "node,nodeid=1,cpus=1,memdev=n1"),
)

CONFIGURATIONS: dict[str, tuple[Setting, tuple[Scenario, ...]]] = {
    "small": (Setting(), (*ALL, walk(1), walk(2))),
    "normal": (Setting(memory="4608M", most="16G"), (*BASIC, boot_memory, walk(3))),
    "movable_node": (Setting(boot="movable_node"), (*BASIC[1:], walk(4))),
    "kernelcore": (Setting(memory="1024M", boot="kernelcore=512M"), (neighbours, policies, boot_memory)),
    "movablecore": (
        Setting(memory="4608M", most="16G", boot="movablecore=1G"),
        (neighbours, policies, boot_memory),
    ),
    "auto_movable": (
        Setting(boot="memory_hotplug.online_policy=auto-movable"),
        (neighbours, policies, two_devices),
    ),
    "two_nodes": (Setting(memory="768M", options=TWO_NODES), (boot_reads, nodes, boot_memory)),
    "policy_online": (Setting(boot="memhp_default_state=online"), (policies, ejections)),
}
"""What can be recorded: the machine, and what is done on it."""
