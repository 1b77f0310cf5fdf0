"""Mercado Pago through its Orders API: a QR that lives for minutes."""
