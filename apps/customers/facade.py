"""What the other apps may use of customers."""

from apps.customers.queries import CustomerRef, customer_label, granted_purposes
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
    "customer_label",
    "erase_customer",
    "export_customer",
    "granted_purposes",
    "issue_claim_code",
    "purge",
    "redeem_ticket",
]
