"""A local stand-in for the Mercado Pago API: orders by QR, webhooks, faults and a buyer's page."""
