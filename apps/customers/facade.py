"""What the other apps may use of customers."""

from apps.customers.authentication import customer_from_header
from apps.customers.queries import CustomerRef, customer_label, granted_purposes, tell_more
from apps.customers.rules import Document, Purpose
from apps.customers.services import (
    ClaimCode,
    claim_account,
    erase_customer,
    export_customer,
    issue_claim_code,
    purge,
    redeem_ticket,
)

__all__ = [
    "ClaimCode",
    "CustomerRef",
    "Document",
    "Purpose",
    "claim_account",
    "customer_from_header",
    "customer_label",
    "erase_customer",
    "export_customer",
    "granted_purposes",
    "issue_claim_code",
    "purge",
    "redeem_ticket",
    "tell_more",
]
