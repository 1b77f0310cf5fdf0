"""BR Code text of a QR order: EMV tag-length-value fields closed by a CRC."""


def crc16(text: str) -> str:
    """CRC-16/CCITT-FALSE (polynomial 1021, start FFFF) as four hex digits."""
    crc = 0xFFFF
    for byte in text.encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
    return f"{crc:04X}"


def field(tag: str, value: str) -> str:
    """Write one field: tag, length, value."""
    return f"{tag}{len(value):02d}{value}"


def br_code(location_id: str, *, merchant: str = "BREADMATE DEMO", city: str = "SAO PAULO") -> str:
    """Build the text of a dynamic Pix QR that points at ``location_id`` (a UUID)."""
    pix = field("00", "br.gov.bcb.pix") + field("25", f"pix-qr.mercadopago.com/instore/o/v2/{location_id}")
    text = "".join(
        (
            field("00", "01"),
            field("01", "12"),
            field("26", pix),
            field("52", "0000"),
            field("53", "986"),
            field("58", "BR"),
            field("59", merchant),
            field("60", city),
            field("62", field("05", "***")),
            "6304",
        )
    )
    return text + crc16(text)
