"""The one table of settings, and the only reader of the environment.

Read once at the start (`read_settings`), frozen, passed down. Each setting is the environment variable
STENOGRAPH_<NAME>; the command line overrides a few. docs/settings.md is printed from this table (`settings_page.py`).
"""

from __future__ import annotations

import difflib
import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from stenograph.setting_values import (
    Bytes,
    Folder,
    GiB,
    Host,
    Hosts,
    KiB,
    MiB,
    PublicUrl,
    Word,
    format_bytes,
    is_address,
    redact_url,
    store_url,
)

PREFIX = "STENOGRAPH_"

CLIENT_VARIABLES = ("STENOGRAPH_URL", "STENOGRAPH_API_KEY")
"""Options of `stenograph export` and `import`, which speak to a server: no settings of one."""


class SettingsError(Exception):
    """One or more settings cannot be used. The message has a line for each, meant for the operator."""


AuthMode = Literal["auto", "open", "keys"]
LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """Every setting, its default and its help. Sizes are in bytes and times in seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", validate_default=True
    )

    # Where it listens, and who may come in
    host: Host = Field(
        "127.0.0.1", description="Address to listen on. Any other than loopback needs API keys."
    )
    port: int = Field(1984, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    auth: AuthMode = Field(
        "auto",
        description="`auto`: open on loopback, by API key on any other address. `keys`: always by key. "
        "`open`: no key needed; refused on an address that others can reach.",
    )
    public_url: PublicUrl = Field(
        "", description="Address that people and clients use, for links. Empty: taken from each request."
    )

    # Where the data lives
    data_dir: Folder = Field(
        Path("stenograph-data"),
        description="The data folder, relative to where the server is started.",
    )
    runs_url: Annotated[str, store_url("chdb:///path")] = Field(
        "", repr=False, description="Where runs are stored. Empty: the embedded engine, in `{data_dir}/runs`."
    )
    meta_url: Annotated[str, store_url("sqlite:///path.db", "postgresql://user:password@host/name")] = Field(
        "", repr=False, description="The metadata database. Empty: SQLite, in `{data_dir}/meta.db`."
    )
    blobs_url: Annotated[str, store_url("file:///path", "s3://bucket", "gs://bucket", "az://container")] = (
        Field("", repr=False, description="Where attachments are stored. Empty: `{data_dir}/blobs`.")
    )
    min_free_disk_bytes: Bytes = Field(
        512 * MiB, description="Writes are refused while the data folder's disk has less free than this."
    )

    # Logs
    log_format: LogFormat = Field(
        "auto", description="`json`: one object a line. `console`: for people. `auto`: console on a terminal."
    )
    log_level: LogLevel = Field("info", description="The least severe message that is logged.")

    # Limits of a request
    max_body_bytes: Bytes = Field(128 * MiB, ge=KiB, description="Largest body, as sent (compressed).")
    max_inflated_bytes: Bytes = Field(512 * MiB, ge=KiB, description="Largest body once decompressed.")
    max_inflation_ratio: int = Field(
        1000, ge=1, description="Largest decompressed to compressed ratio; looked at past 16 MiB."
    )
    max_inflight_bytes: Bytes = Field(
        512 * MiB, ge=KiB, description="Decompressed bytes that all requests together may be working on."
    )
    max_parts: int = Field(100_000, ge=1, description="Most parts of one multipart body.")
    max_part_header_bytes: Bytes = Field(
        16 * KiB, ge=256, description="Largest headers of one part of a multipart body."
    )
    max_json_depth: int = Field(500, ge=16, le=5000, description="Deepest nesting of a JSON document.")
    max_runs_per_trace: int = Field(
        1_000_000, ge=0, description="Further runs of a trace are refused; 0: no limit."
    )
    max_attachment_bytes: Bytes = Field(
        100 * MiB, ge=0, description="Largest attachment of a run or example."
    )

    # Inbox: acknowledged and on disk, not yet in the run store
    inbox_max_bytes: Bytes = Field(
        4 * GiB, ge=MiB, description="A full inbox answers 429 until the run store has caught up."
    )
    inbox_segment_bytes: Bytes = Field(64 * MiB, ge=64 * KiB, description="Size at which a file is closed.")
    pending_max_bytes: Bytes = Field(
        256 * MiB, ge=MiB, description="Memory for runs on their way from the inbox to the run store."
    )
    flush_runs: int = Field(5000, ge=1, description="So many finished runs are written to the run store.")
    flush_seconds: float = Field(
        1.0, gt=0, le=3600, allow_inf_nan=False, description="Finished runs wait no longer than this."
    )
    hold_open_seconds: float = Field(
        60.0,
        ge=0,
        le=86400,
        allow_inf_nan=False,
        description="A run that has not ended waits so long for its end, then is written as it stands.",
    )

    # Engine and reading
    engine_max_memory_bytes: Bytes = Field(
        2 * GiB, ge=256 * MiB, description="Memory the embedded engine may use, all queries together."
    )
    engine_threads: int = Field(2, ge=1, le=256, description="Threads of one query of the embedded engine.")
    recall_memory_bytes: Bytes = Field(
        256 * MiB, ge=MiB, description="Memory for the vectors of docs that were searched last."
    )
    reader_connections: int = Field(4, ge=1, le=64, description="Queries that may run at the same time.")
    read_timeout_seconds: float = Field(
        30.0, gt=0, le=3600, allow_inf_nan=False, description="A query that takes longer is stopped."
    )
    settle_seconds: float = Field(
        10.0,
        ge=0,
        le=86400,
        allow_inf_nan=False,
        description="How often the run store is looked at for work left behind by inserts: merging small parts and "
        "indexing words, done while few runs come in. 0: never, so that every search reads the payloads.",
    )
    settle_tail_runs: int = Field(
        2000, ge=1, description="Words are indexed once so many runs have none; fewer are searched without."
    )
    settle_longest_tail_runs: int = Field(
        250_000, ge=1, description="The same while many runs come in: from so many on, it does not wait."
    )
    settle_merge_bytes: Bytes = Field(
        4 * GiB, ge=0, description="Largest week of runs on disk that is merged into one part."
    )
    attachment_url_seconds: int = Field(
        3600, ge=1, le=604_800, description="How long a link to an attachment stays valid."
    )

    # Models and evaluators
    llm_base_url: PublicUrl = Field(
        "",
        description="The OpenAI-compatible server that is asked when a model is needed, up to and without "
        "`/chat/completions`. Empty: `OPENAI_BASE_URL`, or OpenAI's own where there is a key.",
    )
    llm_api_key: str = Field(
        "",
        repr=False,
        description="The key for it. Empty, and no `STENOGRAPH_LLM_BASE_URL` either: `OPENAI_API_KEY`.",
    )
    llm_model: str = Field("", description="The model that is asked where nothing names one.")
    llm_timeout_seconds: float = Field(
        120.0,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="A question to a model takes no longer, retries included.",
    )
    embedding_model: str = Field(
        "",
        description="The model that turns docs and questions into vectors, of an OpenAI-compatible server. Empty: the "
        "one that comes with the program. After a change docs are embedded anew in the background (docs/recall.md).",
    )
    embedding_base_url: PublicUrl = Field(
        "",
        description="That server, up to and without `/embeddings`. Empty: OpenAI's with "
        "`STENOGRAPH_EMBEDDING_API_KEY`, else that of `STENOGRAPH_LLM_BASE_URL`, with its key.",
    )
    embedding_api_key: str = Field("", repr=False, description="The key for it.")
    embedding_dimensions: int = Field(
        0,
        ge=0,
        le=8192,
        description="Length of its vectors, which the server is asked for; 0: the model's own.",
    )
    embedding_revision: Word = Field(
        "",
        description="Any word, changed when the server's model changes under the same name: docs are then embedded "
        "anew.",
    )
    private_hosts: Hosts = Field(
        "",
        description="Hosts that tools of agents and models of workspaces may be at although they are not public, such "
        "as `localhost:8000, api.internal:443`. Empty: none.",
    )
    record_chats: bool = Field(
        True, description="Chats with agents record themselves as traces, in the projects of the agents."
    )
    render_user_messages: bool = Field(
        False,
        description="Messages of users are templates too in sessions that do not say whether they render templates. "
        "Whoever writes one can then read what the agent, its user and its docs have in them.",
    )
    chat_tool_rounds: int = Field(
        10,
        ge=1,
        le=100,
        description="So often a chat runs tools and asks the model again, before it has to answer.",
    )
    insights_models: Literal["auto", "off"] = Field(
        "auto",
        description="`auto`: reports are worded by a model where one is set up, by the workspace's secrets or here. "
        "`off`: no report asks a model (docs/insights.md).",
    )
    insights_model: str = Field(
        "",
        description="The model of `STENOGRAPH_LLM_BASE_URL` that words reports which name none. Empty: "
        "`STENOGRAPH_LLM_MODEL`.",
    )
    insights_token_budget: int = Field(
        2_000_000,
        ge=0,
        description="Most tokens that one report may take of a model; a job may ask for less. 0: no model is asked.",
    )
    insights_concurrency: int = Field(
        8, ge=1, le=256, description="Questions to models that all reports together ask at the same time."
    )
    evaluator_concurrency: int = Field(
        4, ge=1, le=256, description="Evaluations of new events that run at the same time."
    )
    python_evaluators: bool = Field(
        False,
        description="Run evaluators that users write in Python, each in a confined process of its own. What that "
        "guards against, and what not: docs/evaluators.md.",
    )
    python_evaluator_seconds: float = Field(
        5.0, ge=0.1, le=300, allow_inf_nan=False, description="Longest that one such evaluation may take."
    )
    python_evaluator_memory_bytes: Bytes = Field(
        256 * MiB, ge=64 * MiB, description="Most memory that one such evaluation may use."
    )
    insights_keep_up_seconds: float = Field(
        60.0,
        ge=0.1,
        le=3600,
        allow_inf_nan=False,
        description="Between two looks for new traces, where a report of insights takes them in.",
    )

    @model_validator(mode="before")
    @classmethod
    def _models_as_elsewhere(cls, given: dict[str, Any]) -> dict[str, Any]:
        """OpenAI's own variables, where ours say nothing of a model's server. Never mixed with ours: a key must not
        go to a server that it was not meant for."""
        if given.get("llm_base_url") or given.get("llm_api_key"):
            return given
        elsewhere = {"llm_base_url": "OPENAI_BASE_URL", "llm_api_key": "OPENAI_API_KEY"}
        return given | {name: found for name, key in elsewhere.items() if (found := os.environ.get(key))}

    @model_validator(mode="after")
    def _agree(self) -> Settings:
        """Refuse settings that contradict each other."""
        if self.auth == "open" and not self.on_loopback:
            raise ValueError(
                f"auth='open' with host={self.host!r} would let anyone who reaches this address read and "
                "write: use auth='keys', or host='127.0.0.1'"
            )
        if self.embedding_model and not (
            self.embedding_base_url or self.embedding_api_key or self.llm_base_url or self.llm_api_key
        ):
            raise ValueError(
                f"embedding_model={self.embedding_model!r} needs a server: set embedding_base_url "
                f"({PREFIX}EMBEDDING_BASE_URL), or {PREFIX}LLM_BASE_URL"
            )
        if self.embedding_base_url and not self.embedding_model:
            raise ValueError(
                f"embedding_base_url={redact_url(self.embedding_base_url)!r} is not asked without a model: set "
                f"embedding_model ({PREFIX}EMBEDDING_MODEL)"
            )
        for smaller, larger in (
            ("max_body_bytes", "max_inflated_bytes"),
            ("max_inflated_bytes", "max_inflight_bytes"),
            ("max_inflated_bytes", "inbox_max_bytes"),
            ("inbox_segment_bytes", "inbox_max_bytes"),
        ):
            low, high = getattr(self, smaller), getattr(self, larger)
            if low > high:
                raise ValueError(
                    f"{smaller}={format_bytes(low)} should not be more than {larger}={format_bytes(high)}"
                )
        return self

    @property
    def on_loopback(self) -> bool:
        """Only processes of this machine can connect."""
        if is_address(self.host):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host.lower() == "localhost"

    @property
    def auth_open(self) -> bool:
        """Whether a request without a key is let in."""
        return self.auth == "open" or (self.auth == "auto" and self.on_loopback)

    @property
    def inbox_dir(self) -> Path:
        return self.data_dir / "inbox"

    @property
    def runs_location(self) -> str:
        return self.runs_url or f"chdb://{self.data_dir / 'runs'}"

    @property
    def runs_dir(self) -> Path:
        """Where the embedded engine keeps its files."""
        return Path(self.runs_location.removeprefix("chdb://"))

    @property
    def meta_location(self) -> str:
        return self.meta_url or f"sqlite:///{self.data_dir / 'meta.db'}"

    @property
    def blobs_location(self) -> str:
        return self.blobs_url or f"file://{self.data_dir / 'blobs'}"

    @property
    def local_url(self) -> str:
        """The address a client on this machine uses; `public_url` when there is one."""
        host = "localhost" if self.on_loopback or self.host in ("0.0.0.0", "::") else self.host
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def read_settings(overrides: Mapping[str, object] | None = None) -> Settings:
    """The environment under `overrides` (by setting name; None means not given).

    SettingsError names every setting that cannot be used, its value and what is allowed.
    """
    given: dict[str, Any] = {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [
            _complaint(tuple(item["loc"]), item["input"], item["msg"])
            for item in error.errors(include_url=False)
        ]
        raise SettingsError("\n".join(lines)) from None


def _complaint(where: tuple[int | str, ...], value: object, message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    if not where:
        return message
    name = str(where[0])
    if name not in Settings.model_fields:
        return f"{name} is no setting"
    if name == "port" and str(value).startswith("tcp://"):
        message += (
            ". Kubernetes sets this variable when a Service is called stenograph: "
            "put enableServiceLinks: false into the pod's specification"
        )
    return f"{name} ({PREFIX}{name.upper()}) is {redact_url(str(value))!r}: {message}"


def unknown_variables() -> list[str]:
    """A sentence for each STENOGRAPH_* variable of the environment that is no setting: likely a slip."""
    known = [PREFIX + name.upper() for name in Settings.model_fields] + list(CLIENT_VARIABLES)
    found = []
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            found.append(f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else ""))
    return found
