"""Giving up, for good, all that a process could do beyond computing. Linux on x86-64 and arm64, without privileges.

    limits        memory, CPU time, files of no size, no further process, no core dump
    a death       a timer whose signal can be neither caught nor put off afterwards; the parent's end is ours too
    user          nobody, where we are root
    namespaces    no network, no shared memory, where the kernel lets us        (in addition)
    Landlock      no file at all, where the kernel has it                       (in addition)
    seccomp       of the kernel's calls only those that compute, wait, and use what is open already

What must hold is checked by trying it: a process that can still open a file or a socket is not confined. Runs in a bare
interpreter, before it has any thread: only the standard library, and nothing of it that is not there already.
"""

from __future__ import annotations

import _socket
import ctypes
import errno
import os
import resource
import signal
import struct
import sys
from dataclasses import dataclass
from typing import Final


class NotConfined(Exception):
    """Something of what confines a process is not to be had here. The message says what."""


@dataclass(frozen=True)
class Bounds:
    """`seconds` of wall clock and of CPU alike, `memory` in bytes of address space. `parent` is the server's id."""

    seconds: float
    memory: int
    parent: int


@dataclass(frozen=True)
class Machine:
    """Numbers of the kernel's calls differ by processor. `audit` names it to seccomp (linux/audit.h)."""

    audit: int
    calls: tuple[int, ...]


_ALLOWED: Final = (
    "read write close fstat lseek mmap mprotect munmap brk mremap madvise rt_sigreturn futex sched_yield nanosleep "
    "clock_nanosleep clock_gettime clock_getres gettimeofday times getrusage getpid gettid getrandom restart_syscall "
    "exit exit_group"
)
"""None of these opens, connects, starts or signals anything, or undoes what is said above."""

_MACHINES: Final = {
    "x86_64": Machine(
        0xC000003E,
        (0, 1, 3, 5, 8, 9, 10, 11, 12, 25, 28, 15, 202, 24, 35, 230, 228, 229, 96, 100, 98, 39, 186, 318, 219, 60, 231),
    ),
    "aarch64": Machine(
        0xC00000B7,
        (63, 64, 57, 80, 62, 222, 226, 215, 214, 216, 233, 139, 98, 124, 101, 115, 113, 114, 169, 153, 165, 172, 178,
         278, 128, 93, 94),
    ),
}  # fmt: skip

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_KILL_PROCESS: Final = 0x80000000
_REFUSE: Final = 0x00050000 | errno.EPERM
_ALLOW: Final = 0x7FFF0000
_LOAD, _EQUAL, _GREATER, _RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of the packet filter (linux/bpf_common.h): load a word, jump if equal, if not less, return."""

_NEW_NAMESPACES: Final = 0x10000000 | 0x40000000 | 0x08000000 | 0x04000000
"""User, network, IPC, host name."""

_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_FILES: Final = (1 << 13) - 1
"""All accesses to files of Landlock's first version: every later kernel knows them."""

NOBODY: Final = 65534


def unsupported() -> str | None:
    """Why no process can be confined on this machine, as far as that can be told without trying; None: it may be."""
    if sys.platform != "linux":
        return f"confining a process needs Linux, and this is {sys.platform}"
    machine = os.uname().machine
    if machine not in _MACHINES or sys.maxsize < 2**32:
        return f"a process can be confined on x86-64 and 64 bit arm, and this is {machine}"
    return None


def confine(bounds: Bounds) -> None:
    """From the return on this process can compute, write to what is open, and end. NotConfined otherwise."""
    reason = unsupported()
    if reason is not None:
        raise NotConfined(reason)
    libc = ctypes.CDLL(None, use_errno=True)
    _be_nobody()
    libc.unshare(ctypes.c_int(_NEW_NAMESPACES))
    _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user undoes it
    if os.getppid() != bounds.parent:
        raise NotConfined("the server has ended")
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    _forbid_files(libc)
    _limit(bounds)
    _prctl(libc, _PR_SET_DUMPABLE, 0)
    signal.setitimer(signal.ITIMER_REAL, bounds.seconds)
    _filter_calls(libc)
    _try_it()


def _prctl(libc: ctypes.CDLL, option: int, value: int, more: object = None) -> None:
    more = ctypes.c_ulong(0) if more is None else more
    if (
        libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), more, ctypes.c_ulong(0), ctypes.c_ulong(0))
        != 0
    ):
        code = ctypes.get_errno()
        raise NotConfined(f"the kernel refuses prctl({option}): {os.strerror(code)}")


def _be_nobody() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)


def _limit(bounds: Bounds) -> None:
    seconds = int(bounds.seconds) + 1
    for what, most in (
        (resource.RLIMIT_AS, bounds.memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_NOFILE, 4),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
    os.nice(10)


def _forbid_files(libc: ctypes.CDLL) -> None:
    """Landlock: a set of rules that handles every access to files and allows none."""
    handled = struct.pack("Q", _LANDLOCK_FILES)
    rules = libc.syscall(
        ctypes.c_long(_LANDLOCK_CREATE_RULESET), handled, ctypes.c_size_t(len(handled)), ctypes.c_uint32(0)
    )
    if rules >= 0:
        libc.syscall(ctypes.c_long(_LANDLOCK_RESTRICT_SELF), ctypes.c_int(rules), ctypes.c_uint32(0))
        os.close(rules)


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def program(machine: Machine) -> bytes:
    """The filter: an allowed call goes on, any other gets EPERM; another processor's numbers end the process."""
    calls = sorted(machine.calls)
    lines = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, 0),
        (_GREATER, 0, 1, 0x40000000),  # x86-64's other set of numbers, which means the same calls
        (_RETURN, 0, 0, _KILL_PROCESS),
        *((_EQUAL, len(calls) - place, 0, call) for place, call in enumerate(calls)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _filter_calls(libc: ctypes.CDLL) -> None:
    code = program(_MACHINES[os.uname().machine])
    held = ctypes.create_string_buffer(code, len(code))
    whole = _Program(len(code) // 8, ctypes.cast(held, ctypes.c_void_p).value)
    _prctl(libc, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(whole))


def _try_it() -> None:
    """The promise, tested on what a stranger would try first."""
    for what, attempt in (
        ("open a file", lambda: os.open("/dev/null", os.O_RDONLY)),
        ("open a socket", _socket.socket),
        ("start a process", lambda: os.fork() or os._exit(0)),
    ):
        try:
            attempt()
        except OSError as error:
            if error.errno == errno.EPERM:
                continue
        raise NotConfined(f"a confined process can still {what}")
