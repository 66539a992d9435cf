-- The run store's tables, the same text for the embedded engine and for a server.
--
-- runs: one row a version of a run; of equal keys the highest version wins (ReplacingMergeTree), rows with
-- deleted = 1 vanish from FINAL reads. Sorted so that "newest roots of a project" is a prefix scan.
-- Small granules: 1024 rows made lists 8 times and filters 14 times faster than 8192; 256 take a third off the
-- reading of a page whose payloads lie scattered, and 10 % off the rest.
-- A run that no client has named a project for yet stands under the nil project.
-- Absent text is NULL for `error` and '' elsewhere: no valid JSON document is empty.
-- fsync settings: an insert is on disk when it returns, and merges neither lose that nor drop their sources
-- before their result is synced.

-- name: create_runs
CREATE TABLE IF NOT EXISTS runs
(
    workspace_id         UUID,
    project_id           UUID,
    is_root              UInt8,
    start_time           DateTime64(6, 'UTC')            CODEC(Delta, ZSTD(1)),
    id                   UUID,
    version              UInt64                          CODEC(Delta, ZSTD(1)),
    deleted              UInt8 DEFAULT 0,
    -- bits: which of project, start, trace, parent, dotted order and tags a client has stated, whether all
    -- of extra is our own, and whether it has been stated in parts alone
    stated               UInt8,
    trace_id             UUID,
    parent_run_id        Nullable(UUID)                  CODEC(ZSTD(1)),
    dotted_order         String                          CODEC(ZSTD(1)),
    name                 LowCardinality(String),
    run_type             LowCardinality(String),
    status               LowCardinality(String),
    end_time             Nullable(DateTime64(6, 'UTC'))  CODEC(ZSTD(1)),
    first_token_time     Nullable(DateTime64(6, 'UTC'))  CODEC(ZSTD(1)),
    received_at          DateTime64(6, 'UTC')            CODEC(Delta, ZSTD(1)),
    error                Nullable(String)                CODEC(ZSTD(1)),
    inputs               String                          CODEC(ZSTD(1)),
    outputs              String                          CODEC(ZSTD(1)),
    events               String                          CODEC(ZSTD(1)),
    extra                String                          CODEC(ZSTD(1)),
    serialized           String                          CODEC(ZSTD(1)),
    tags                 Array(LowCardinality(String)),
    metadata             Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    thread_id            String                          CODEC(ZSTD(1)),
    reference_example_id Nullable(UUID)                  CODEC(ZSTD(1)),
    attachments          String                          CODEC(ZSTD(1)),
    prompt_tokens        UInt64                          CODEC(ZSTD(1)),
    completion_tokens    UInt64                          CODEC(ZSTD(1)),
    total_tokens         UInt64                          CODEC(ZSTD(1)),
    -- money is Decimal(18, 12), stored as 10⁻¹² dollars
    prompt_cost          Nullable(Decimal64(12))         CODEC(ZSTD(1)),
    completion_cost      Nullable(Decimal64(12))         CODEC(ZSTD(1)),
    total_cost           Nullable(Decimal64(12))         CODEC(ZSTD(1)),
    -- keys are prefixed with the side they belong to: `prompt.cache_read`, `completion.reasoning`
    token_details        Map(LowCardinality(String), UInt64)      CODEC(ZSTD(1)),
    cost_details         Map(LowCardinality(String), Decimal64(12)) CODEC(ZSTD(1)),

    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_thread thread_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_metadata mapValues(metadata) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX words_in inputs TYPE text(tokenizer = 'splitByNonAlpha',
        preprocessor = replaceRegexpAll(lowerUTF8(inputs), '\\\\[bfnrt\\\\]', ' ')),
    INDEX words_out outputs TYPE text(tokenizer = 'splitByNonAlpha',
        preprocessor = replaceRegexpAll(lowerUTF8(outputs), '\\\\[bfnrt\\\\]', ' '))
)
ENGINE = ReplacingMergeTree(version, deleted)
PARTITION BY toMonday(start_time)
ORDER BY (workspace_id, project_id, is_root, start_time, id)
SETTINGS index_granularity = 256,
    fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 480,
    exclude_materialize_skip_indexes_on_merge = 'words_in,words_out';

-- feedback: sorted by the project that it is filed under, then by time, so that "newest of a project" and "what a
-- project's feedback comes to" read nothing else. `home` is that project: its run's, as soon as the run is known, or its
-- own when it speaks of a whole project; zero until then. Of feedback that is filed under its run's project, trace_id,
-- project_id, start_time and is_root are the run's. `run_id` and `project_id` are zero when there is none.
-- Blocks are small, since a page reads a few rows of all columns: docs/decisions/150-feedback-in-small-blocks.md
-- name: create_feedback
CREATE TABLE IF NOT EXISTS feedback
(
    workspace_id     UUID,
    home             UUID,
    created_at       DateTime64(6, 'UTC')            CODEC(Delta, ZSTD(1)),
    id               UUID,
    version          UInt64                          CODEC(Delta, ZSTD(1)),
    deleted          UInt8 DEFAULT 0,
    run_id           UUID,
    trace_id         UUID                            CODEC(ZSTD(1)),
    project_id       UUID                            CODEC(ZSTD(1)),
    start_time       Nullable(DateTime64(6, 'UTC'))  CODEC(ZSTD(1)),
    is_root          UInt8,
    key              LowCardinality(String),
    modified_at      DateTime64(6, 'UTC')            CODEC(Delta, ZSTD(1)),
    score            Nullable(Float64)               CODEC(ZSTD(1)),
    raw_score        String                          CODEC(ZSTD(1)),
    value            String                          CODEC(ZSTD(1)),
    comment          Nullable(String)                CODEC(ZSTD(1)),
    correction       String                          CODEC(ZSTD(1)),
    source_type      LowCardinality(String),
    source           String                          CODEC(ZSTD(1)),
    group_id         UUID                            CODEC(ZSTD(1)),
    comparative_experiment_id UUID                   CODEC(ZSTD(1)),
    extra            String                          CODEC(ZSTD(1)),
    error            UInt8,
    -- whether it has its run's trace count as judged: model/retention.py
    keeps            UInt8 DEFAULT 1,

    INDEX by_id id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_run run_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_comparison comparative_experiment_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, deleted)
ORDER BY (workspace_id, home, created_at, id)
SETTINGS index_granularity = 256, min_compress_block_size = 2048,
    fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 480;
