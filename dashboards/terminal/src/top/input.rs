//! Keys into changes of what `top` shows, and into what it asks the gateway to do. Pure.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::age::LocalTime;
use crate::client::ShownAlarm;
use crate::top::state::{Mode, Top};

/// Longest name of a person, in characters.
const NAME_CHARS_MAX: usize = 40;

/// Lines that a page key moves the details by.
const SCROLL_LINES: u16 = 5;

/// Most lines moved: a birth names 64 channels, and what stands above and below them is less.
const SCROLL_MAX: u16 = 200;

/// What a key asks for beyond the screen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing.
    Nothing,
    /// The end.
    Quit,
    /// An acknowledgement.
    Acknowledge { shown: ShownAlarm, by: String },
}

/// Takes one key.
#[expect(clippy::wildcard_enum_match_arm, reason = "other keys mean nothing here")]
pub(crate) fn take_key(top: &mut Top, key: KeyEvent, local: LocalTime) -> Wish {
    if key.kind == KeyEventKind::Release {
        return Wish::Nothing;
    }
    top.notice_seen(local);
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    if control && matches!(key.code, KeyCode::Char('c')) {
        return Wish::Quit;
    }
    if let Mode::Acknowledge { shown, name } = top.mode.clone() {
        return take_name_key(top, key.code, shown, name, local);
    }
    match key.code {
        KeyCode::Char('q') => return Wish::Quit,
        KeyCode::Char('?') => {
            top.mode = if top.mode == Mode::Help { Mode::Overview } else { Mode::Help };
        }
        KeyCode::Char('a') => start_acknowledging(top, local),
        KeyCode::Esc => top.mode = Mode::Overview,
        KeyCode::PageDown => top.scroll = top.scroll.saturating_add(SCROLL_LINES).min(SCROLL_MAX),
        KeyCode::PageUp => top.scroll = top.scroll.saturating_sub(SCROLL_LINES),
        KeyCode::Enter => {
            top.scroll = 0;
            top.mode = if top.mode == Mode::Overview { Mode::Details } else { Mode::Overview };
        }
        KeyCode::Tab | KeyCode::Right => select_pump(top, 1),
        KeyCode::BackTab | KeyCode::Left => select_pump(top, -1),
        KeyCode::Down => select_alarm(top, 1),
        KeyCode::Up => select_alarm(top, -1),
        _ => {}
    }
    Wish::Nothing
}

/// Opens the question who acknowledges, for the revision that is on the screen now.
fn start_acknowledging(top: &mut Top, local: LocalTime) {
    if !top.alarms_link.is_connected() {
        return top.say("not connected: nothing can be acknowledged".to_owned(), local);
    }
    let selected = top.selected_alarm.as_ref().and_then(|alarm| top.alarm(alarm));
    let Some(alarm) = selected else {
        return top.say("no alarm to acknowledge".to_owned(), local);
    };
    if !alarm.is_unacknowledged() {
        return top.say("this alarm is acknowledged already".to_owned(), local);
    }
    let shown = ShownAlarm { occurrence: alarm.occurrence.clone(), revision: alarm.revision };
    top.mode = Mode::Acknowledge { shown, name: top.operator.clone() };
}

#[expect(clippy::wildcard_enum_match_arm, reason = "other keys mean nothing here")]
fn take_name_key(
    top: &mut Top,
    code: KeyCode,
    shown: ShownAlarm,
    mut name: String,
    local: LocalTime,
) -> Wish {
    match code {
        KeyCode::Esc => {
            top.mode = Mode::Overview;
            return Wish::Nothing;
        }
        KeyCode::Enter if name.trim().is_empty() => {
            top.say("type your name first".to_owned(), local);
        }
        KeyCode::Enter => {
            let by = name.trim().to_owned();
            top.operator.clone_from(&by);
            top.mode = Mode::Overview;
            return Wish::Acknowledge { shown, by };
        }
        KeyCode::Backspace => {
            name.pop();
        }
        KeyCode::Char(letter) if !letter.is_control() && name.chars().count() < NAME_CHARS_MAX => {
            name.push(letter);
        }
        _ => {}
    }
    top.mode = Mode::Acknowledge { shown, name };
    Wish::Nothing
}

fn select_pump(top: &mut Top, step: isize) {
    let names: Vec<_> = top.tiles.keys().cloned().collect();
    let present = top.selected_pump.as_ref();
    let present = names.iter().position(|name| Some(name) == present);
    top.scroll = 0;
    top.selected_pump = moved(&names, present, step).cloned();
}

fn select_alarm(top: &mut Top, step: isize) {
    let alarms: Vec<String> = top.alarms.iter().map(|alarm| alarm.occurrence.clone()).collect();
    let present = top.selected_alarm.as_ref();
    let present = alarms.iter().position(|occurrence| Some(occurrence) == present);
    top.selected_alarm = moved(&alarms, present, step).cloned();
}

/// The neighbour in a ring; the first where nothing was selected.
fn moved<T>(things: &[T], present: Option<usize>, step: isize) -> Option<&T> {
    let Some(present) = present else {
        return things.first();
    };
    let count = things.len().max(1);
    let next = present.checked_add_signed(step).unwrap_or(count - 1) % count;
    things.get(next)
}
