// Puts the colours of a theme on an element, for everything within it.
import { themes, variables, type ThemeName } from './tokens';

/** Sets the custom properties of a theme. By the object model: the page's policy allows no style attributes in markup. */
export function applyTheme(element: HTMLElement, name: ThemeName): void {
  for (const [property, colour] of variables(themes[name])) element.style.setProperty(property, colour);
  element.style.colorScheme = name === 'day' ? 'light' : 'dark';
  element.dataset['theme'] = name;
}

/** Takes them away again: the element looks like what it lies in. */
export function clearTheme(element: HTMLElement): void {
  for (const [property] of variables(themes.dim)) element.style.removeProperty(property);
  element.style.colorScheme = '';
  delete element.dataset['theme'];
}
