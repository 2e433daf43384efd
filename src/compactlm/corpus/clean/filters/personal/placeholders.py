"""The placeholders of personal data."""

from __future__ import annotations

from compactlm.params import PersonalKind

PLACEHOLDERS: dict[PersonalKind, str] = {
    "email": "[EMAIL]",
    "iban": "[IBAN]",
    "card": "[CARD]",
    "social_security": "[SOCIAL_SECURITY]",
    "ip_address": "[IP_ADDRESS]",
    "phone": "[PHONE]",
}
