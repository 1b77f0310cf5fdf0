/** What a CPF looks like, and whether its last two digits fit the others. Who has it is asked of the server. */

export const CPF_DIGITS = 11;

/** "52998224725" as people write it; what is still missing is left out. */
export function formatCpf(digits) {
  const [first, second, third, check] = [digits.slice(0, 3), digits.slice(3, 6), digits.slice(6, 9), digits.slice(9)];
  return [first, second && `.${second}`, third && `.${third}`, check && `-${check}`].filter(Boolean).join("");
}

/** One check digit over the digits before it. */
function checkDigit(before) {
  const sum = Array.from(before, Number).reduce((total, digit, place) => total + digit * (before.length + 1 - place), 0);
  return ((sum * 10) % 11) % 10;
}

export function isCpf(digits) {
  if (!/^\d{11}$/.test(digits) || new Set(digits).size === 1) return false;
  return checkDigit(digits.slice(0, 9)) === Number(digits[9]) && checkDigit(digits.slice(0, 10)) === Number(digits[10]);
}
