/** Money as whole cents in BigInt: the API sends strings such as "12.50", and no float ever touches them. */

const AMOUNT = /^(-?)(\d+)(?:\.(\d{1,2}))?$/;

/** "12.50" → 1250n */
export function toCents(amount) {
  const parts = AMOUNT.exec(amount);
  if (!parts) throw new TypeError(`Not an amount: ${amount}`);
  const [, sign, whole, fraction = ""] = parts;
  const cents = BigInt(whole) * 100n + BigInt(fraction.padEnd(2, "0"));
  return sign ? -cents : cents;
}

/** 123450n → "R$ 1.234,50", with a space that never breaks. */
export function formatCents(cents) {
  const sign = cents < 0n ? "−" : "";
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, "0");
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ".");
  return `${sign}R$\u00a0${whole},${digits.slice(-2)}`;
}

/** "1234.50" → "R$ 1.234,50" */
export function formatMoney(amount) {
  return formatCents(toCents(amount));
}

export function isZero(amount) {
  return toCents(amount) === 0n;
}
