"""Rules of customers that hold at every commit."""

from apps.core.facade import sql_invariant

sql_invariant(
    "D2",
    "Nothing of an erased customer is left: no personal value, ticket, claim, login or standing consent.",
    """
    SELECT customer.id, 'values' FROM customers_customer customer
    WHERE customer.erased_at IS NOT NULL
      AND (customer.name <> '' OR customer.email <> '' OR customer.phone <> '' OR customer.address <> ''
           OR customer.cpf_cipher IS NOT NULL OR customer.cpf_index IS NOT NULL OR customer.user_id IS NOT NULL)
    UNION ALL
    SELECT customer.id, 'ticket' FROM customers_customer customer
    JOIN customers_lookupticket ticket ON ticket.customer_id = customer.id WHERE customer.erased_at IS NOT NULL
    UNION ALL
    SELECT customer.id, 'claim' FROM customers_customer customer
    JOIN customers_accountclaim claim ON claim.customer_id = customer.id WHERE customer.erased_at IS NOT NULL
    UNION ALL
    SELECT customer.id, 'consent' FROM customers_customer customer
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (purpose) granted FROM customers_consent consent
        WHERE consent.customer_id = customer.id ORDER BY purpose, at DESC, id DESC
    ) newest
    WHERE customer.erased_at IS NOT NULL AND newest.granted
    """,
)
