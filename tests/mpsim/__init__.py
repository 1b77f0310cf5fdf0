"""Tests of the local Mercado Pago simulator."""
