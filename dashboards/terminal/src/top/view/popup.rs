//! The windows over the picture: the keys, and the question who acknowledges what.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

use crate::age::LocalTime;
use crate::client::ShownAlarm;
use crate::top::state::Top;
use crate::top::view::look;
use crate::words::{alarm_line, check_line};

const HELP: &[&str] = &[
    "← →  Tab     select a pump",
    "↑ ↓          select an alarm",
    "Enter        the selected pump in full; PgUp PgDn move, Esc back",
    "a            acknowledge the selected alarm",
    "q            quit",
    "",
    "***  **  *   high, medium, low priority; i: a card, no alarm",
    "---          no value holds; why, and the last one with its age",
    "UNKNOWN      this display has no connection: look at the pump",
    "",
    "Research software, not a medical device.",
    "The console at the bedside stays the primary alarm.",
];

/// Draws the keys.
pub(crate) fn draw_help(frame: &mut Frame, area: Rect) {
    let lines = HELP.iter().map(|line| Line::raw(*line)).collect();
    window(frame, area, " keys (? closes) ", lines);
}

/// Draws the question who acknowledges.
pub(crate) fn draw_acknowledge(
    frame: &mut Frame,
    area: Rect,
    top: &Top,
    shown: &ShownAlarm,
    name: &str,
    local: LocalTime,
) {
    let alarm = top.alarm(&shown.occurrence);
    let standing = match alarm {
        Some(alarm) if alarm.revision == shown.revision => {
            Line::raw(alarm_line(alarm, top.alarms_now(local)))
        }
        Some(_) => Line::styled("IT CHANGED since: press Esc and look again", look::BANNER),
        None => Line::styled("it has ended meanwhile: press Esc", look::BANNER),
    };
    let check = alarm.and_then(check_line).map(Line::raw);
    let lines = vec![
        standing,
        check.unwrap_or_default(),
        Line::raw(""),
        Line::styled(format!("your name: {name}▏"), look::VALUE),
        Line::raw(""),
        Line::styled("Enter acknowledges, Esc does not", look::LABEL),
    ];
    window(frame, area, " acknowledge this alarm? ", lines);
}

fn window(frame: &mut Frame, area: Rect, title: &'static str, lines: Vec<Line<'_>>) {
    let width = 74.min(area.width);
    // Room for a line that wraps twice and one that wraps once.
    let height = u16::try_from(lines.len() + 5).unwrap_or(u16::MAX).min(area.height);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    frame.render_widget(Clear, place);
    let block = Block::bordered().border_type(BorderType::Double).title(title);
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(block), place);
}
