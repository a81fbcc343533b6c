"""The whole database in one file, as of one moment, and back again: everything or nothing.

Rows are kept as Arrow columns of Python's types and not as either database writes them, so that a backup of SQLite
can be restored into PostgreSQL and the other way round. A restored database first gets the tables that the backed up
one had, then the rows, then whatever migrations came since.
"""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedIOBase
from itertools import islice
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, Any

import pyarrow as pa
from django.apps.registry import Apps, apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.core.management.color import no_style
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Field, JSONField, Model
from django.utils import timezone

from annotate.folder.export import snapshot, version

FORMAT = 1
ROWS = 2_000
MANIFEST = "manifest.json"
_INTEGERS = (
    *("AutoField", "BigAutoField", "BigIntegerField", "IntegerField", "PositiveBigIntegerField"),
    *("PositiveIntegerField", "PositiveSmallIntegerField", "SmallIntegerField"),
)
_TEXTS = ("CharField", "EmailField", "JSONField", "SlugField", "TextField", "URLField", "UUIDField")
TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys(_INTEGERS, pa.int64()),
    **dict.fromkeys(_TEXTS, pa.string()),
    "BinaryField": pa.binary(),
    "BooleanField": pa.bool_(),
    "DateTimeField": pa.timestamp("us", "UTC"),
    "FloatField": pa.float64(),
}
_CHANGED: dict[str, Callable[[Any], Any]] = {
    "JSONField": partial(json.dumps, cls=DjangoJSONEncoder, sort_keys=True),
    "UUIDField": str,
    "BinaryField": bytes,
}
# Stored as they come out of the file, by either database.
_PLAIN = {
    *_INTEGERS,
    "BooleanField",
    "CharField",
    "EmailField",
    "FloatField",
    "SlugField",
    "TextField",
    "URLField",
}
# Tables that no model has.
_BESIDE = {"django_migrations", "offbeat_cache"}
# Of WORK_DIR: finished exports and pending uploads. All else there can be made again, and is none of a backup's.
_FOLDERS = {"exports", "imports"}

Told = dict[str, Any]


class BackupError(Exception):
    """A backup can't be written or restored; nothing was changed."""


def backup(path: Path) -> Told:
    """Write the whole file or nothing; returns its manifest."""
    part = path.with_name(f".{path.name}.part")
    try:
        # It holds everything, so it is for its owner alone.
        with open(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600), "wb") as file:
            manifest = write(file, models_of(apps))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def write(file: IO[bytes], models: Iterable[type[Model]]) -> Told:
    manifest: Told = {
        "format": FORMAT,
        "offbeat": version(),
        "made_at": timezone.now().isoformat(),
        "database": connection.vendor,
    }
    manifest |= {"keys": _keys(), "tables": {}, "files": {}}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as zipped:
        with snapshot():
            manifest["migrations"] = sorted(MigrationRecorder(connection).applied_migrations())
            for model in models:
                with _member(zipped, f"tables/{model._meta.db_table}.arrow") as sink:
                    rows = _write_rows(model, sink)
                manifest["tables"][model._meta.db_table] = {"rows": rows, "sha256": sink.sha256}
        for name in sorted(_files()):
            with (
                _member(zipped, f"files/{name}") as sink,
                (Path(settings.WORK_DIR) / name).open("rb") as source,
            ):
                while some := source.read(2**20):
                    sink.write(some)
            manifest["files"][name] = {"sha256": sink.sha256}
        zipped.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return manifest


def models_of(registry: Any) -> list[type[Model]]:
    models = registry.get_models(include_auto_created=True)
    return sorted(
        (m for m in models if m._meta.managed and not m._meta.proxy), key=lambda m: m._meta.db_table
    )


class _Hashing(BufferedIOBase):
    """Writes bytes to a member of the archive, and hashes them."""

    def __init__(self, to: IO[bytes]) -> None:
        self._to, self._hash = to, hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, some: Any) -> int:
        self._hash.update(some)
        return self._to.write(some)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def _member(zipped: zipfile.ZipFile, name: str) -> Iterator[_Hashing]:
    with zipped.open(name, "w", force_zip64=True) as member:
        yield _Hashing(member)


def _kind(field: Any) -> str:
    while field.remote_field is not None:
        field = field.target_field
    return str(field.get_internal_type())


def _write_rows(model: type[Model], sink: _Hashing) -> int:
    fields = model._meta.concrete_fields
    schema = pa.schema([(f.column, TYPES[_kind(f)]) for f in fields])
    rows = model._base_manager.order_by("pk").values_list(*(f.attname for f in fields)).iterator(ROWS)
    n = 0
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        while some := list(islice(rows, ROWS)):
            columns = [_portable(f, c) for f, c in zip(fields, zip(*some, strict=True), strict=True)]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            n += len(some)
    return n


def _portable(field: Any, column: Iterable[Any]) -> pa.Array:
    kind = _kind(field)
    change = _CHANGED.get(kind)
    if change is not None:
        column = [None if value is None else change(value) for value in column]
    return pa.array(column, TYPES[kind])


def _files() -> Iterator[str]:
    """Pending uploads and finished exports, by their path below WORK_DIR."""
    base = Path(settings.WORK_DIR)
    for path in base.rglob("*"):
        inner = path.relative_to(base)
        half_made = any(part.startswith(".") for part in inner.parts) or path.suffix == ".part"
        if path.is_file() and not half_made and _is_kept(inner):
            yield inner.as_posix()


def _is_kept(inner: PurePath) -> bool:
    """By the first folder alone: studies name folders further down, and may be called anything."""
    return ".." not in inner.parts and bool(inner.parts) and inner.parts[0] in _FOLDERS


def _keys() -> dict[str, str]:
    """Fingerprints of the secret keys: enough to detect other keys, not to recover them."""
    return {
        name: hashlib.pbkdf2_hmac("sha256", getattr(settings, name).encode(), b"offbeat", 200_000).hex()[:16]
        for name in ("SECRET_KEY", "PSEUDONYM_KEY")
    }


def restore(path: Path, *, force: bool = False) -> tuple[Told, list[str]]:
    """Put the file's rows in place of all there are; returns its manifest and what is different here.

    BackupError, and nothing changed, where the file is not whole, is of a later version, or there is data already and
    no `force`.
    """
    try:
        with zipfile.ZipFile(path) as zipped:
            manifest = _verified(zipped)
            if not force:
                _refuse_over_data()
            with _without_constraints(), transaction.atomic(durable=True):
                _replace_all(zipped, manifest)
            ContentType.objects.clear_cache()
            shutil.rmtree(Path(settings.WORK_DIR) / settings.PREPARED, ignore_errors=True)
            for name in manifest["files"]:
                zipped.extract(f"files/{name}", settings.WORK_DIR)
            _move_files(manifest)
    except (OSError, zipfile.BadZipFile, pa.ArrowInvalid, DatabaseError) as error:
        raise BackupError(f"{path}: {error}") from error
    here = _keys()
    return manifest, [name for name, print_ in manifest["keys"].items() if here[name] != print_]


def _move_files(manifest: Told) -> None:
    base = Path(settings.WORK_DIR)
    for name in manifest["files"]:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(base / "files" / name, base / name)


def _verified(zipped: zipfile.ZipFile) -> Told:
    try:
        manifest: Told = json.loads(zipped.read(MANIFEST))
    except (KeyError, ValueError) as error:
        raise BackupError(f"no manifest: this is not a backup, or only part of one ({error})") from error
    if manifest.get("format") != FORMAT:
        raise BackupError(f"the backup has format {manifest.get('format')}; this version reads {FORMAT}")
    if strange := [name for name in manifest["files"] if not _is_kept(PurePosixPath(name)) or "\\" in name]:
        raise BackupError(f"{strange[0]}: a backup holds files of {' and '.join(sorted(_FOLDERS))} only")
    members = {f"tables/{table}.arrow": about for table, about in manifest["tables"].items()}
    members |= {f"files/{name}": about for name, about in manifest["files"].items()}
    for name, about in members.items():
        try:
            with zipped.open(name) as member:
                digest = hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]
        except (KeyError, zipfile.BadZipFile) as error:
            raise BackupError(f"{name} is missing or damaged ({error})") from error
        if digest != about["sha256"]:
            raise BackupError(f"{name} is damaged: its checksum differs")
    return manifest


def _refuse_over_data() -> None:
    tables = set(connection.introspection.table_names())
    strange = tables - _BESIDE - {m._meta.db_table for m in models_of(apps)}
    if strange:
        raise BackupError(
            f"the database has tables that are not Offbeat’s ({', '.join(sorted(strange)[:3])})"
        )
    for label in ("annotate.Study", "auth.User"):
        model = apps.get_model(label)
        if model._meta.db_table in tables and model._base_manager.exists():
            raise BackupError(
                f"the database already has data ({model._meta.verbose_name_plural}); --force replaces all of it"
            )


@contextmanager
def _without_constraints() -> Iterator[None]:
    """SQLite needs this to change tables; PostgreSQL checks at the end of the transaction anyway."""
    connection.disable_constraint_checking()
    try:
        yield
    finally:
        connection.enable_constraint_checking()


def _replace_all(zipped: zipfile.ZipFile, manifest: Told) -> None:
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f"DROP TABLE {quote(table)}" + (" CASCADE" if connection.vendor == "postgresql" else "")
            )
    models = models_of(_tables_of(manifest))
    # Migrations have PostgreSQL look at references at once; while tables fill one by one it must not.
    connection.check_constraints()
    for model in models:
        _insert(zipped, model)
    connection.check_constraints()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
    call_command("migrate", verbosity=0, interactive=False)


def _tables_of(manifest: Told) -> Apps:
    """Migrate to the backed-up database's tables; returns the models as they were then."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    then = {(app, name) for app, name in manifest["migrations"] if app in executor.loader.migrated_apps}
    if unknown := then - set(graph.nodes):
        app, name = min(unknown)
        raise BackupError(f"it was made by a newer version: {app}.{name} is unknown here")
    last = [
        node
        for node in then
        if not any(c.key in then and c.key[0] == node[0] for c in graph.node_map[node].children)
    ]
    executor.migrate(sorted(last))
    return executor.loader.project_state(sorted(last)).apps


def _insert(zipped: zipfile.ZipFile, model: type[Model]) -> None:
    quote = connection.ops.quote_name
    fields = {f.column: f for f in model._meta.concrete_fields}
    with zipped.open(f"tables/{model._meta.db_table}.arrow") as member, pa.ipc.open_stream(member) as reader:
        names = reader.schema.names
        columns, places = ", ".join(map(quote, names)), ", ".join(["%s"] * len(names))
        statement = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {quote(model._meta.db_table)}")  # noqa: S608
            for batch in reader:
                stored = [
                    _stored(fields[n], c.to_pylist()) for n, c in zip(names, batch.columns, strict=True)
                ]
                cursor.executemany(statement, list(zip(*stored, strict=True)))


def _stored(field: Field[Any, Any], column: list[Any]) -> list[Any]:
    if _kind(field) in _PLAIN:
        return column
    if isinstance(field, JSONField):
        # The value null can't be told from no value, but for where there must be one.
        return [
            None
            if value is None and field.null
            else connection.ops.adapt_json_value(None if value is None else json.loads(value), field.encoder)
            for value in column
        ]
    return [None if value is None else field.get_db_prep_save(value, connection) for value in column]
