// The one door to the words: everything that a screen needs to say something in the language spoken now.
export {
  conditionCheck,
  conditionName,
  conditionTile,
  language,
  languageFor,
  parameterLabel,
  parameterName,
  say,
  setLanguage,
} from './language.svelte';
export {
  faultySensor,
  isKey,
  languageNames,
  languages,
  type Args,
  type Key,
  type Language,
  type PlainKey,
} from './lookup';
