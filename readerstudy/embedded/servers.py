"""Both servers of a folder, and the environment that points the application at them."""

from pathlib import Path

from .places import Folder
from .postgres import SUPERUSER, Postgres
from .valkey import Valkey


class Servers:
    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self.folder = Folder(root)
        self.postgres = Postgres(self.folder, durable=durable)
        self.valkey = Valkey(self.folder)

    def start(self) -> None:
        self.postgres.start()
        self.valkey.start()

    def stop(self) -> None:
        self.valkey.stop()
        self.postgres.stop()

    def answer(self) -> bool:
        return self.postgres.answers() and self.valkey.answers()

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.postgres.url(),
            "BROKER_URL": self.valkey.url(),
            "STORAGE_URL": (self.folder.root / "storage").as_uri(),
            "SECRET_KEY": self.folder.secret("secret_key", 48),
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "SECURE": "false",
        }

    def superuser_url(self) -> str:
        return self.postgres.url(SUPERUSER)
