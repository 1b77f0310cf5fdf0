"""Looks at the way to Mercado Pago as a technician would, and says the cure for whatever is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings

from apps.core.facade import Finding, Level, new_id
from apps.payments import accounts, lines
from apps.payments.accounts import Account
from apps.payments.errors import ProviderError, ProviderRejectedError
from apps.payments.models import PointOfSale
from apps.payments.providers.mercado_pago import places, qr
from apps.payments.providers.mercado_pago.calls import call_patiently
from apps.payments.rules import pos_external_id
from apps.stores.facade import StoreFacts

MOST_SKEW = timedelta(seconds=30)
PIX = "br.gov.bcb.pix"
BRAZIL = "MLB"
UNAUTHORIZED = 401


def examine(store: StoreFacts, *, at: datetime) -> Iterator[Finding]:
    """Look at everything between one store and the provider. Makes a QR over R$ 1,00 and cancels it at once."""
    account = accounts.for_store(store.id)
    token = look_at_token(account)
    yield token
    if token.level == Level.OK:
        rows = PointOfSale.objects.filter(store=store.id, account=account.id)
        tills = list(rows.values_list("external_id", flat=True)) or [pos_external_id(store.code)]
        for external_id in tills:
            yield _till(account, store, external_id)
        yield from _code(account, tills[0])
    yield _webhook(account, at)
    yield _secrets()
    yield _partial_refunds()


def look_at_token(account: Account) -> Finding:
    """Ask the provider whose account it is."""
    try:
        seller = places.seller(account)
    except ProviderRejectedError as refusal:
        return Finding("token", Level.BAD, f"O Mercado Pago recusou: {refusal}.", "Veja as permissões da aplicação.")
    except ProviderError as problem:
        if str(UNAUTHORIZED) in str(problem):
            cure = "Copie o access token de produção em Suas integrações → Credenciais."
            return Finding("token", Level.BAD, "O access token não vale.", cure)
        cure = "Veja a internet, MP_BASE_URL e status.mercadopago.com; tente de novo em um minuto."
        return Finding("token", Level.BAD, f"Sem resposta que sirva: {problem}.", cure)
    if seller.get("site_id") != BRAZIL:
        cure = "Use as credenciais de uma conta do Mercado Pago Brasil."
        return Finding("token", Level.BAD, f"A conta é de outro país ({seller.get('site_id')}).", cure)
    return Finding("token", Level.OK, f"Access token da conta {seller.get('id')} ({seller.get('nickname')}).")


def _till(account: Account, store: StoreFacts, external_id: str) -> Finding:
    cure = f"Rode manage.py mp_setup --store {store.code}."
    try:
        known = places.find_pos(account, external_id=external_id)
    except ProviderError as problem:
        return Finding("pos", Level.BAD, f"Caixa {external_id}: {problem}.", cure)
    if known is None:
        return Finding("pos", Level.BAD, f"O Mercado Pago não conhece o caixa {external_id}.", cure)
    return Finding("pos", Level.OK, f"Caixa {external_id} é o número {known}.")


def _code(account: Account, pos: str) -> Iterator[Finding]:
    """Make a code, look at it, and take it back."""
    attempt = new_id()
    body = qr.create_body(reference=f"bm-doctor-{attempt.hex}", amount=Decimal("1.00"), number="TESTE", pos=pos)
    document = orjson.loads(body)
    asked_at = datetime.now(UTC)
    try:
        made = call_patiently(
            account,
            "create",
            lambda sdk, options: sdk.order().create(document, options),
            key=f"c-{attempt}",
            body=body,
        )
        state = qr.read(made)
    except ProviderError as problem:
        yield Finding(
            "qr", Level.BAD, f"Não deu para criar um QR: {problem}.", "Confira o caixa e o tipo da aplicação."
        )
        return
    yield _shown(state.qr_data)
    yield _clock(made, asked_at)
    try:
        order_id = state.provider_order_id
        call_patiently(
            account, "cancel", lambda sdk, options: sdk.order().cancel(order_id, options), key=f"x-{attempt}"
        )
        yield Finding("cancel", Level.OK, "O QR de R$ 1,00 foi cancelado.")
    except ProviderError as problem:
        cure = f"Não pague o QR; ele vence sozinho em {settings.MP_QR_TTL_SECONDS} s."
        yield Finding("cancel", Level.BAD, f"O QR de R$ 1,00 não foi cancelado: {problem}.", cure)


def _shown(qr_data: str) -> Finding:
    if not qr_data:
        cure = "Fale com o suporte: a conta não gera QR dinâmico pela API de Orders."
        return Finding("qr", Level.BAD, "O QR veio sem conteúdo.", cure)
    if PIX not in qr_data.lower():
        cure = "Cadastre uma chave Pix na conta, para que outros bancos também paguem."
        return Finding("qr", Level.LOOK, "O QR só serve ao app do Mercado Pago, não ao Pix.", cure)
    return Finding("qr", Level.OK, "Um QR de R$ 1,00 foi criado e serve ao Pix.")


def _clock(made: Any, asked_at: datetime) -> Finding:
    """Compare our clock with the provider's, which dated the order while we waited."""
    try:
        created = qr.moment(str(made.get("created_date")))
    except ValueError:
        return Finding("clock", Level.LOOK, "O Mercado Pago não disse que horas são lá.")
    ahead = asked_at - created if asked_at > created else max(created - datetime.now(UTC), timedelta(0))
    if ahead > MOST_SKEW:
        cure = "Ligue o NTP neste computador (timedatectl set-ntp true)."
        return Finding("clock", Level.BAD, f"O relógio daqui está {ahead.total_seconds():.0f} s fora.", cure)
    return Finding("clock", Level.OK, "O relógio daqui e o do Mercado Pago concordam.")


def _webhook(account: Account, at: datetime) -> Finding:
    if not lines.is_deaf(account.key, at):
        return Finding("webhook", Level.OK, "Avisos do Mercado Pago chegaram nos últimos sete dias.")
    url = f"{settings.PUBLIC_URL}/api/v1/payments/webhook"
    cure = f"Em Suas integrações → Webhooks → Order (Mercado Pago), ponha {url}. Sem isso o sistema pergunta sozinho."
    return Finding("webhook", Level.LOOK, "Nenhum aviso do Mercado Pago nos últimos sete dias.", cure)


def _secrets() -> Finding:
    count = len(accounts.webhook_secrets())
    if count and settings.MP_WEBHOOK_SIGNATURE == "enforce":
        return Finding("signature", Level.OK, f"Avisos sem assinatura certa são recusados ({count} segredo(s)).")
    if count:
        known = f"Assinaturas dos avisos: {count} segredo(s); um aviso sem assinatura certa só é contado."
        return Finding("signature", Level.OK, known, "Quando todas conferirem: MP_WEBHOOK_SIGNATURE=enforce.")
    cure = "Copie a assinatura secreta da página Webhooks para a conta, ou para MP_WEBHOOK_SECRETS."
    return Finding("signature", Level.LOOK, "Nenhuma assinatura secreta: os avisos não podem ser conferidos.", cure)


def _partial_refunds() -> Finding:
    cure = "Se o Mercado Pago recusar, devolva tudo e cobre de novo."
    if settings.MP_PARTIAL_REFUND == "off":
        return Finding("partial_refunds", Level.OK, "Devolução parcial desligada: nenhuma é pedida.", cure)
    told = "Devolução parcial: só a primeira de verdade mostra se esta conta permite."
    return Finding("partial_refunds", Level.LOOK, told, cure)
