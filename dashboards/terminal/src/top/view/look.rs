//! Colours and styles. Every colour stands beside a word or a mark, and none says "fine".

use ratatui::style::{Color, Modifier, Style};

use crate::model::Priority;

/// Plain text.
pub(crate) const PLAIN: Style = Style::new();

/// Labels beside values.
pub(crate) const LABEL: Style = Style::new().fg(Color::Gray);

/// A value that holds.
pub(crate) const VALUE: Style = Style::new().add_modifier(Modifier::BOLD);

/// What is unknown: neither an alarm's colour nor that of a value.
pub(crate) const UNKNOWN: Style = Style::new().fg(Color::Black).bg(Color::Gray);

/// What was withdrawn, with its age.
pub(crate) const WITHDRAWN: Style = Style::new().fg(Color::Gray).add_modifier(Modifier::ITALIC);

/// Told across the whole screen: this display does not show the present.
pub(crate) const BANNER: Style =
    Style::new().fg(Color::White).bg(Color::Magenta).add_modifier(Modifier::BOLD);

/// The line of keys and the standing notices.
pub(crate) const FOOT: Style = Style::new().fg(Color::Gray);

/// The frame of the selected tile.
pub(crate) const SELECTED: Style = Style::new().fg(Color::White).add_modifier(Modifier::BOLD);

/// The look of a priority.
pub(crate) const fn priority(priority: Priority) -> Style {
    match priority {
        Priority::High => Style::new().fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD),
        Priority::Medium => Style::new().fg(Color::Black).bg(Color::Yellow),
        Priority::Information => PLAIN,
        Priority::Low => Style::new().fg(Color::Black).bg(Color::Cyan),
    }
}
