"""Evaluators in Python: what they may return, and everything that they may not do.

Each program runs for real, in its own confined process. Where a test says that something is refused, the program tries
it and reports what the kernel told it.
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from stenograph.domain.evaluators import python
from stenograph.domain.evaluators.cage import confinement
from stenograph.domain.evaluators.python import OFF, PythonEvaluators
from stenograph.domain.evaluators.verdicts import EvaluationFailed, Verdict
from stenograph.errors import Unsupported

MiB = 1024 * 1024
EVENT = {"event_name": "x", "inputs": {"q": "é 🎈"}, "outputs": {"content": "hello", "n": [1, 2]}}

pytestmark = pytest.mark.skipif(
    confinement.unsupported() is not None, reason="no process can be confined here, and none is run"
)


def run(code: str, event: object = EVENT, seconds: float = 60, memory: int = 256 * MiB) -> Verdict:
    async def work() -> Verdict:
        evaluators = PythonEvaluators(is_on=True, seconds=seconds, memory=memory, at_once=2)
        return await evaluators.run(textwrap.dedent(code), json.dumps(event).encode())

    return asyncio.run(work())


def refusal(code: str, **bounds: float) -> str:
    with pytest.raises(EvaluationFailed) as failed:
        run(code, **bounds)  # type: ignore[arg-type]
    return failed.value.message


def told(attempt: str) -> str:
    """What a program is told that tries this: the error's type and number, or that it was done."""
    program = f"""
    import os, sys, time
    try:
        found = {attempt}
    except BaseException as error:
        return f"{{type(error).__name__}} {{getattr(error, 'errno', None)}}"
    return "done"
    """
    return str(run(program).value)


# -- what it returns -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("def any_name(event):\n    return len(event['outputs']['content'])", 5),
        ("def evaluate(event): return helper(1)\ndef helper(x): return x + 1", 2),
        ("def first(event): return 1\ndef last(event): return 2", 2),
        ("return event['inputs']['q']", "é 🎈"),
        ("if event['outputs']:\n    return True\nreturn False", True),
        ("for each in event['outputs']['n']:\n    if each > 1: return each", 2),
        ("try:\n    raise ValueError\nexcept ValueError:\n    return 'caught'", "caught"),
        ("def f(event): return 0.5\nresult = f(event)", 0.5),
        ("def f(event): return 0.5\nf(event)", 0.5),
        ("import statistics\nstatistics.mean(event['outputs']['n'])", 1.5),
        ("import decimal\nreturn decimal.Decimal('1.25')", 1.25),
        ("import fractions\nreturn fractions.Fraction(1, 4)", 0.25),
        ("return None or False", False),
        ("result: float = 3", 3),
        ("if event['outputs']:\n    result = 1\nelse:\n    result = 0", 1),
        ("def f(event): return 2\nprint('loaded')", 2),
        ("result = 4\nprint('done')", 4),
        ("print('noise')\nimport sys\nprint('more', file=sys.stderr)\nreturn 1", 1),
        ("return 2 ** 60", 2.0**60),
    ],
)
def test_what_a_program_comes_to(code: str, value: object) -> None:
    assert run(code).value == value


@pytest.mark.parametrize(
    "code",
    [
        "return 4, 'because'",
        "return {'score': 4, 'explanation': 'because'}",
        "return {'value': 4, 'reasoning': 'because', 'explanation': None}",
    ],
)
def test_an_explanation(code: str) -> None:
    assert run(code) == Verdict(4, "because")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("return None", "returned nothing"),
        ("def f(event): pass", "returned nothing"),
        ("return [1]", "type list"),
        ("return {'a': 1}", "without any of value"),
        ("return {1, 2}", "type set"),
        ("async def f(event): return 1\nreturn f(event)", "async function"),
        ("x = 1", "returned nothing"),
        ("'''only words'''", "returned nothing"),
        ("", "returned nothing"),
        ("def f(event):\n  return 1 +", "SyntaxError"),
        ("return 1/0", "ZeroDivisionError: division by zero (line 1)"),
        ("def f(event):\n  x = 1\n  return event['nope']\n", "KeyError: 'nope' (line 3)"),
        ("def f(): return 1", "TypeError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import os\nos._exit(0)\nreturn 1", "ended without saying"),
        ("import numpy\nreturn 1", "ModuleNotFoundError: No module named 'numpy'"),
        ("import honeyhive\nreturn 1", "ModuleNotFoundError"),
        ("return 'x' * 20000", "20000 characters"),
        ("def f(event): return f(event)", "RecursionError"),
        ("class E(Exception):\n  def __str__(self): raise ValueError\nraise E", "E: …"),
        ("raise ValueError('x' * 100000)", "ValueError: xxx"),
        ("x\0y", "null bytes"),
        ("(" * 10000, "Error"),
        ("return float('nan')", "ended without saying"),
    ],
)
def test_what_comes_to_nothing(code: str, said: str) -> None:
    message = refusal(code)
    assert said in message
    assert len(message) < 3000


def test_modules_that_load_others_late() -> None:
    code = """
    import datetime, decimal, re, json, difflib, unicodedata, uuid, urllib.parse, html, csv, io, random, hashlib
    from collections import Counter
    from xml.etree import ElementTree as ET
    assert datetime.datetime.strptime("2020-01-02", "%Y-%m-%d").year == 2020
    assert "é".encode("latin-1") and "x".encode("utf-16") and "bücher.de".encode("idna")
    assert ET.fromstring("<a><b/></a>")[0].tag == "b"
    assert list(csv.reader(io.StringIO("a,b")))[0] == ["a", "b"]
    assert hashlib.sha256(b"x").hexdigest() and hashlib.md5(b"x").hexdigest()
    assert unicodedata.name("é") and random.random() < 1 and uuid.uuid4() and Counter("aab")["a"] == 2
    assert json.loads("[1]") and re.search("a+", "caat") and decimal.Decimal(1) / 3
    return "fine"
    """
    assert run(code).value == "fine"


def test_the_event_is_a_copy_of_each_ones_own() -> None:
    code = "event['outputs']['content'] = 'changed'\nreturn event['outputs']['content']"
    event = json.loads(json.dumps(EVENT))
    assert run(code, event).value == "changed"
    assert event == EVENT


# -- escapes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd').read()",
        "open('/tmp/stenograph-escape', 'w')",
        "open('/dev/null')",
        "open('/proc/self/environ').read()",
        "open('/proc/1/cmdline').read()",
        "open('/proc/self/mem', 'rb+')",
        "os.open('.', os.O_RDONLY)",
        "os.listdir('/')",
        "os.stat('/etc/passwd')",
        "os.mkdir('/tmp/stenograph-escape')",
        "os.remove('/etc/hostname')",
        "os.rename('/etc/hostname', '/tmp/x')",
        "os.symlink('/etc/passwd', '/tmp/x')",
        "os.readlink('/proc/self/exe')",
        "os.chdir('/tmp')",
        "os.memfd_create('x')",
        "os.pipe()",
        "os.dup(3)",
        "os.mkfifo('/tmp/x')",
        "os.truncate('/tmp/x', 1)",
        "os.access('/etc/passwd', os.R_OK) or os.stat('/')",
    ],
)
def test_no_files(attempt: str) -> None:
    assert told(attempt) == "PermissionError 1"


@pytest.mark.parametrize(
    "attempt",
    [
        "os.fork()",
        "os.forkpty()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "os.kill(os.getppid(), 9)",
        "os.kill(1, 9)",
        "os.killpg(0, 9)",
        "os.setuid(0)",
        "os.setpriority(os.PRIO_PROCESS, 0, -20)",
        "os.sched_setaffinity(0, {0})",
        "os.chroot('/')",
        "os.sync() or os.stat('/')",
    ],
)
def test_no_processes_and_no_privileges(attempt: str) -> None:
    assert told(attempt) == "PermissionError 1"


def test_no_shell() -> None:
    assert run("import os\nreturn os.system('touch /tmp/stenograph-escape')").value != 0
    assert not Path("/tmp/stenograph-escape").exists()


@pytest.mark.parametrize(
    "module", ["socket", "_socket", "subprocess", "ctypes", "threading", "multiprocessing", "ssl"]
)
def test_modules_that_reach_out_are_not_there(module: str) -> None:
    """Loaded or not, what they would need is refused; so programs are not led to think that they work."""
    code = f"""
    try:
        import {module} as found
    except ImportError:
        return "not there"
    try:
        if {module!r} in ("socket", "_socket"):
            found.socket()
        elif {module!r} == "threading":
            found.Thread(target=print).start()
        else:
            return "there"
    except (OSError, RuntimeError) as error:
        return "refused"
    return "done"
    """
    assert run(code).value in ("not there", "refused")


def test_no_network_by_the_kernels_own_calls() -> None:
    """Python's objects are no wall: what was hidden is found again, and the kernel refuses all the same."""
    code = """
    import gc, sys
    found = [each for each in gc.get_objects() if type(each).__name__ == "module" and each.__name__ == "_ctypes"]
    socket_type = next((each for each in object.__subclasses__() if each.__name__ == "socket"), None)
    outcomes = []
    if socket_type is not None:
        try:
            socket_type()
            outcomes.append("socket")
        except OSError as error:
            outcomes.append(f"refused {error.errno}")
    import builtins
    for name in ("open", "exec", "compile", "__import__"):
        assert hasattr(builtins, name)
    try:
        __import__("os").open("/etc/passwd", 0)
        outcomes.append("file")
    except PermissionError:
        outcomes.append("refused 1")
    return ",".join(outcomes)
    """
    assert set(str(run(code).value).split(",")) == {"refused 1"}


def test_a_fork_bomb_does_not_go_off() -> None:
    code = """
    import os
    count = 0
    for _ in range(10_000):
        try:
            os.fork()
            count += 1
        except PermissionError:
            pass
    return count
    """
    assert run(code).value == 0


def test_memory_is_bounded() -> None:
    assert "MemoryError" in refusal("x = [bytearray(2**20) for _ in range(10_000)]\nreturn len(x)")
    assert "MemoryError" in refusal("return len('a' * 10**10)")
    assert run("return len('a' * 10**7)", memory=128 * MiB).value == 10**7


def test_an_endless_loop_ends() -> None:
    began = time.monotonic()
    assert refusal("while True: pass", seconds=0.3) == "it took longer than 0.3 seconds"
    assert refusal("import time\ntime.sleep(60)\nreturn 1", seconds=0.3) == "it took longer than 0.3 seconds"
    assert refusal("import re\nre.match('(a+)+$', 'a' * 50 + 'b')\nreturn 1", seconds=0.3).startswith(
        "it took"
    )
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "code",
    [
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))",
        "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)",
        "import signal\nsignal.alarm(0)",
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))",
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "import os\nos.setsid()",
        "import os\nos.setpgid(0, 0)",
    ],
)
def test_its_end_cannot_be_put_off(code: str) -> None:
    wrapped = textwrap.indent(code, "    ")
    program = f"try:\n{wrapped}\nexcept BaseException:\n    pass\nwhile True: pass"
    assert refusal(program, seconds=0.3) == "it took longer than 0.3 seconds"


def test_huge_output_is_cut_off() -> None:
    flood = "import os\nwhile True: os.write(3, b'x' * 65536)"
    assert "more than" in refusal(flood, seconds=60)
    assert run("print('x' * 10**7)\nreturn 1").value == 1


def test_what_it_says_is_not_believed() -> None:
    """It may write its own answer, which is an evaluator's right; nothing else comes of it."""
    forged = "import os\nos.write(3, {answer!r})\nos._exit(0)\nreturn 1"
    assert run(forged.format(answer=b'{"value": 7}')).value == 7
    for answer in (b"", b"{", b"[]", b'{"value": {"a": 1}}', b"\xff", b'{"value": 1}{', b"[" * 100_000):
        assert "ended without saying" in refusal(forged.format(answer=answer)) or answer == b""
    assert "returned nothing" in refusal(forged.format(answer=b"{}"))


def test_nothing_of_the_server_is_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENOGRAPH_SECRET_OF_THE_TEST", "secret")
    code = """
    import os, sys
    here = [name for name in sys.modules if name.startswith(("stenograph", "msgspec", "sqlalchemy"))]
    return repr((sorted(os.environ), sys.path, sys.argv, here))
    """
    assert run(code).value == "(['LC_CTYPE'], [], ['<evaluator>'], [])"


def test_monkeypatching_changes_nothing_for_others() -> None:
    code = """
    import json, os, builtins
    json.dumps = lambda *a, **k: '{"value": 13}'
    os.write = os._exit = lambda *a: None
    builtins.float = builtins.isinstance = None
    return 1
    """
    with pytest.raises(EvaluationFailed):
        run(code)
    assert run("return 1").value == 1


def test_it_dies_with_the_server() -> None:
    """A server that is killed leaves no evaluator behind."""
    program = f"""
import asyncio, sys
sys.path.insert(0, {str(Path(python.__file__).parents[3])!r})
from stenograph.domain.evaluators.python import PythonEvaluators
from stenograph.domain.evaluators import python as module
real = asyncio.create_subprocess_exec
async def spying(*a, **k):
    process = await real(*a, **k)
    print(process.pid, flush=True)
    return process
asyncio.create_subprocess_exec = spying
evaluators = PythonEvaluators(is_on=True, seconds=60, memory=2**28, at_once=1)
asyncio.run(evaluators.run("while True: pass", b"{{}}"))
"""
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert server.stdout is not None
    pid = int(server.stdout.readline())
    server.kill()
    server.wait()
    server.stdout.close()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return  # dead, and waited for by nobody yet
    raise AssertionError("the evaluator outlived the server")


def test_a_caller_that_goes_away_ends_it() -> None:
    async def work() -> None:
        evaluators = PythonEvaluators(is_on=True, seconds=60, memory=256 * MiB, at_once=1)
        task = asyncio.ensure_future(evaluators.run("while True: pass", b"{}"))
        while not await _children():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not await _children()

    asyncio.run(work())


async def _children() -> list[str]:
    task = Path(f"/proc/{os.getpid()}/task")
    found = [child for each in task.iterdir() for child in (each / "children").read_text().split()]
    return [child for child in found if b"stenograph.domain.evaluators.cage" in _command(child)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


# -- refusing ------------------------------------------------------------------------------------------------


def test_it_is_off_unless_the_operator_says_otherwise() -> None:
    evaluators = PythonEvaluators(is_on=False, seconds=1, memory=2**28, at_once=1)
    assert evaluators.problem == OFF
    assert "STENOGRAPH_PYTHON_EVALUATORS" in OFF
    with pytest.raises(Unsupported, match="STENOGRAPH_PYTHON_EVALUATORS"):
        asyncio.run(evaluators.run("return 1", b"{}"))


def test_where_a_process_cannot_be_confined_none_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python, "unsupported", lambda: "confining a process needs Linux")
    evaluators = PythonEvaluators(is_on=True, seconds=1, memory=2**28, at_once=1)
    assert "needs Linux" in (evaluators.problem or "")
    with pytest.raises(Unsupported, match="needs Linux"):
        asyncio.run(evaluators.run("return 1", b"{}"))


def test_other_systems_and_processors_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "darwin" in (confinement.unsupported() or "")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "", "", "", "riscv64")))
    assert "riscv64" in (confinement.unsupported() or "")


def test_a_kernel_that_does_not_confine_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process asks for every confinement, then tries what it must not be able to do. Here the filter lets all
    through, as if the kernel had ignored it: the program is not run."""
    source = Path(python.__file__).parents[3]
    begin = (
        "import sys; sys.path.append(sys.argv[1]); "
        "from stenograph.domain.evaluators.cage import confinement, program; "
        "confinement._filter_calls = lambda libc: None; program.main()"
    )
    monkeypatch.setattr(python, "_BEGIN", begin)
    assert source.is_dir()
    with pytest.raises(Unsupported, match=r"can(not be run here| still)"):
        run("import os\nos.write(3, b'{\"value\": 1}')\nreturn 1")


def test_an_event_that_is_too_large() -> None:
    with pytest.raises(EvaluationFailed, match="bytes"):
        run("return 1", {"x": "y" * 9 * MiB})


def test_so_many_at_a_time() -> None:
    async def work() -> float:
        evaluators = PythonEvaluators(is_on=True, seconds=60, memory=256 * MiB, at_once=3)
        found = await asyncio.gather(*(evaluators.run(f"return {n}", b"{}") for n in range(9)))
        return sum(float(each.value) for each in found)

    assert asyncio.run(work()) == 36


@pytest.mark.parametrize("machine", confinement._MACHINES.values())
def test_the_filter_is_what_it_says(machine: confinement.Machine) -> None:
    """Run by hand: an allowed call passes, all others are refused, foreign processors end the process."""
    code = confinement.program(machine)
    lines = [struct.unpack_from("HBBI", code, at) for at in range(0, len(code), 8)]

    def outcome(call: int, audit: int = machine.audit) -> int:
        at, register = 0, 0
        while True:
            operation, yes, no, value = lines[at]
            at += 1
            if operation == confinement._LOAD:
                register = {0: call, 4: audit}[value]
            elif operation == confinement._EQUAL:
                at += yes if register == value else no
            elif operation == confinement._GREATER:
                at += yes if register >= value else no
            else:
                return int(value)

    allowed = {call for call in range(2000) if outcome(call) == confinement._ALLOW}
    assert allowed == set(machine.calls)
    assert {outcome(call) for call in range(2000)} == {confinement._ALLOW, confinement._REFUSE}
    assert outcome(0x40000001) == confinement._KILL_PROCESS
    assert outcome(0, 0x40000003) == confinement._KILL_PROCESS
    assert len(machine.calls) == len(confinement._ALLOWED.split())
