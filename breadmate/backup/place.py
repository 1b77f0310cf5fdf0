"""Where things are: the settings of this shop, its server, its folder of backups, its key."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from breadmate.backup.vault import BackupError, Vault
from breadmate.up import plan, servers
from breadmate.up.plan import Plan
from breadmate.up.shop import with_shop_settings

DEBIANS = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Place:
    """One shop as its backups see it."""

    given: Mapping[str, str]
    plan: Plan
    vault: Vault
    database_url: str
    ours: bool  # Postgres is the embedded one

    @property
    def data(self) -> Path:
        """Where the embedded Postgres keeps its data."""
        return servers.data_folder(self.plan.run_dir, servers.postgres_account(), self.plan.tag)

    @property
    def spool(self) -> Path:
        """Where the log arrives before it is sealed."""
        return self.plan.run_dir / "wal"

    def programs(self) -> Path:
        """Return the folder of Postgres' client programs: the embedded ones, or for a server of your own those on the PATH.

        Raises:
            BackupError: there are none.
        """
        if self.ours:
            return servers.postgres_programs(servers.postgres_account())
        found = shutil.which("pg_receivewal")
        if found is None:
            raise BackupError(
                "Faltam pg_basebackup e pg_receivewal no PATH. Em Debian: sudo apt-get install postgresql-client-NN "
                "(com o número do seu servidor)."
            )
        return Path(found).parent  # as it is called: in Debian's /usr/bin all are one program that looks at its name

    def server_programs(self, data: Path) -> Path:
        """Return the folder of the Postgres that can open a data directory: the embedded one, Debian's, or the PATH's.

        Raises:
            BackupError: there is none.
        """
        if self.ours:
            return self.programs()
        major = (data / "PG_VERSION").read_text().strip()
        installed = DEBIANS / major / "bin" / "postgres"
        found = installed if installed.exists() else shutil.which("postgres")
        if found is None:
            raise BackupError(
                f"Falta o Postgres {major} para abrir o backup. Em Debian: sudo apt-get install postgresql-{major}; em outro "
                "sistema, ponha os programas dele no PATH."
            )
        return Path(found).parent


def find(environ: Mapping[str, str] = os.environ) -> Place:
    """Find this shop's place.

    Raises:
        BackupError: ``BACKUP_DIR`` is not set.
        StartError: a setting makes no sense.
    """
    given = with_shop_settings(environ)
    wanted = plan.read(given)
    if wanted.backup_dir is None:
        raise BackupError(
            "Falta BACKUP_DIR: a pasta dos backups, de preferência em outro disco (BACKUP_DIR=/mnt/backup)."
        )
    here = servers.database_url(servers.socket_path(servers.postgres_account(), wanted.tag))
    url = wanted.database_url or here
    return Place(given=given, plan=wanted, vault=Vault(wanted.backup_dir), database_url=url, ours=url == here)
