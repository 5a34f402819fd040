"""Names of the columns, in one place."""

from typing import Final

TARGET: Final = "is_fraud"
CARD: Final = "card_id"
TIME: Final = "paid_at"
MERCHANT: Final = "merchant_id"

NUMERIC: Final[tuple[str, ...]] = (
    "amount_eur",
    "minutes_since_last",
    "distance_km",
    "device_age_days",
    "card_age_days",
    "failed_pins_24h",
    "credit_limit_eur",
)
NOMINAL: Final[tuple[str, ...]] = ("merchant_category", "channel", "country")
