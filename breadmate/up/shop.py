"""A real shop: its settings in one private file of the RUN_DIR, made at the first ``./run --shop``; its systemd unit."""

import base64
import getpass
import json
import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from breadmate.up.errors import StartError
from breadmate.up.plan import PROJECT, write_private

MERCADO_PAGO = "https://api.mercadopago.com"
# What a shop is, whatever its file says.
FIXED = {"BREADMATE_ENV": "production", "DEMO": "0"}
TEMPLATE = """\
# As configurações desta loja. Nunca mande este arquivo a ninguém: com ele se abre tudo o que está lacrado no banco.
# Depois de mudar algo: ./run --restart

# O endereço da loja na rede, como totens e telas o abrem; com certificado, https://
PUBLIC_URL=http://{address}:8000
PORT=8000
BIND=0.0.0.0
# Certificado e chave em PEM; sem eles não há HTTPS.
TLS_CERT=
TLS_KEY=

# Mercado Pago: access token de produção e assinatura secreta dos avisos (docs/mercado-pago.md).
MP_ACCESS_TOKEN=
MP_WEBHOOK_SECRETS=

# A pasta dos backups, em outro disco; sem ela não há backup (docs/operacao.pt-BR.md).
BACKUP_DIR=

# Feitas uma vez, nunca mude: sem elas o que está lacrado no banco não abre mais. Cada backup as traz consigo.
SECRET_KEY={secret}
CUSTOMER_KEYS=1:{customers}
CUSTOMER_INDEX_KEY={index}
PAYMENT_KEYS=1:{payments}
"""
UNIT = """\
[Unit]
Description=BreadMate
Wants=network-online.target
After=network-online.target

[Service]
User={user}
WorkingDirectory={project}
Environment="RUN_DIR={run_dir}"
ExecStart=/bin/sh "{project}/run" --shop
Restart=always
RestartSec=5
KillMode=mixed
KillSignal=SIGINT
TimeoutStopSec=40
LimitNOFILE=65536
AmbientCapabilities=CAP_NET_BIND_SERVICE

[Install]
WantedBy=multi-user.target
"""


def settings_file(given: Mapping[str, str]) -> Path:
    """Say where a shop's settings are."""
    return PROJECT / (given.get("RUN_DIR") or ".run") / "shop.env"


def with_shop_settings(given: Mapping[str, str]) -> dict[str, str]:
    """Add the shop's settings to an environment, whose own values win; without a shop nothing is added."""
    try:
        lines = settings_file(given).read_text().splitlines()
    except FileNotFoundError:
        return dict(given)
    told = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    of_shop = {name.strip(): value.strip() for name, _, value in told if value.strip()}
    return {"MP_BASE_URL": MERCADO_PAGO} | of_shop | {name: value for name, value in given.items() if value} | FIXED


def settings_for(given: Mapping[str, str], *, shop: bool) -> dict[str, str]:
    """Return the settings to start with: a shop's, made now when it has none yet, or those of a demo.

    Raises:
        StartError: a shop is asked for where the demo is, or the other way round.
    """
    path = settings_file(given)
    if shop and not path.exists():
        if _holds_demo(path.parent):
            raise StartError(f"{path.parent} holds the demo: set RUN_DIR to another folder, or remove it.")
        path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        write_private(path, _new_settings())
    elif path.exists() and not shop:
        raise StartError(f"{path.parent} holds a real shop: ./run --shop (the demo beside it: set PORT and RUN_DIR)")
    return with_shop_settings(given)


def settings_of_running(given: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the shop that is here.

    Raises:
        StartError: there is none.
    """
    if not settings_file(given).exists():
        raise StartError(f"There is no shop in {settings_file(given).parent}: ./run --shop makes one.")
    return with_shop_settings(given)


def write_unit(given: Mapping[str, str]) -> Path:
    """Write the systemd unit of this shop into its RUN_DIR; only root can put it where systemd looks."""
    run_dir = settings_file(given).parent.resolve()
    run_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    path = run_dir / "breadmate.service"
    told = {"user": getpass.getuser(), "project": str(PROJECT), "run_dir": str(run_dir)}
    path.write_text(UNIT.format(**{name: text.replace("%", "%%") for name, text in told.items()}))
    return path


def _new_settings() -> str:
    keys = (base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=") for _ in range(3))
    customers, index, payments = keys
    return TEMPLATE.format(
        address=_own_address(), secret=secrets.token_urlsafe(48), customers=customers, index=index, payments=payments
    )


def _own_address() -> str:
    """Return this machine's address on its network; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _holds_demo(run_dir: Path) -> bool:
    try:
        return bool(json.loads((run_dir / "demo.json").read_text())["stores"])
    except (OSError, ValueError, KeyError):
        return os.path.lexists(run_dir / "pg")  # of a ./run that was never a shop
