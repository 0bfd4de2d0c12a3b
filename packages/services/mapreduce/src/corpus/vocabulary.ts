const scripts: readonly (readonly [consonants: string, vowels: string])[] = [
  ["bcdfghjklmnprstvwz", "aeiou"],
  ["bcdfglmnprst", "aeiouáéíóúäöüñç"],
  ["бвгдзклмнпрст", "аеиоуыя"],
  ["βγδζκλμνπρτ", "αεηιουω"],
];

/** A word as the text may say it, and what it counts as. */
export interface VocabularyWord {
  readonly word: string;
  readonly capitalized: string;
}

/**
 * Different words, lower-cased, the short ones first as in languages; 37 in 40 are of ASCII, the others with accents,
 * Cyrillic or Greek, some of digits. Capitals of them have them as their lower case.
 */
export function vocabularyOf(words: number, random: () => number): readonly VocabularyWord[] {
  const seen = new Set<string>();
  const found: VocabularyWord[] = [];
  while (found.length < words) {
    const syllables = 1 + Math.floor(Math.log2(2 + found.length) / 6) + (random() % 2);
    const word = random() % 50 === 0 ? String(random() % 1_000_000) : wordOf(syllables, scriptOf(random), random);
    if (seen.has(word)) continue;
    seen.add(word);
    const [first = "", ...rest] = word;
    found.push({ word, capitalized: first.toUpperCase() + rest.join("") });
  }
  return found;
}

function scriptOf(random: () => number): readonly [string, string] {
  const drawn = random() % 40;
  return scripts[drawn < 37 ? 0 : drawn - 36]!;
}

function wordOf(syllables: number, [consonants, vowels]: readonly [string, string], random: () => number): string {
  let word = "";
  for (let i = 0; i < syllables; i++) {
    word += consonants[random() % consonants.length]! + vowels[random() % vowels.length]!;
    if (random() % 3 === 0) word += consonants[random() % consonants.length]!;
  }
  return word;
}
