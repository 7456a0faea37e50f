//! One tile: link and state, worst alarm, the values that matter with their ages, a sparkline.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Borders, Paragraph, Sparkline};

use crate::age::{GatewayTime, LocalTime, age_text};
use crate::format::{NO_VALUE, fit, fit_parts, number_text, reading_text};
use crate::model::{Alarm, Pump, Reading, Shown};
use crate::top::state::{Link, Tile, Top, trend_reading};
use crate::top::view::look;
use crate::words::{condition_text, evidence_parts, priority_label, priority_mark};

/// The values of a tile with their labels; the first ones stay when a tile is small.
const VALUES: [(&str, &str); 6] = [
    ("flow.blood", "flow"),
    ("pump.speed", "speed"),
    ("press.drain", "drain"),
    ("press.pre", "pre"),
    ("press.post", "post"),
    ("pt.abp", "abp"),
];

/// Most values of a tile.
const VALUES_MAX: usize = 5;

const LABEL_WIDTH: usize = 6;

/// Draws the tile of a pump.
pub(crate) fn draw(
    frame: &mut Frame,
    area: Rect,
    top: &Top,
    tile: &Tile,
    selected: bool,
    local: LocalTime,
) {
    let now = top.pumps_now(local);
    let connected = top.pumps_link.is_connected();
    let style = if selected { look::SELECTED } else { look::LABEL };
    let title = title(&tile.pump, connected, now);
    let block = Block::new()
        .borders(Borders::ALL)
        .border_type(if selected { BorderType::Double } else { BorderType::Plain })
        .border_style(style)
        .title(Line::styled(fit(&title, usize::from(area.width.saturating_sub(2))), style));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inner.width);
    let mut lines = vec![alarm_line(top, &tile.pump, width, local)];
    if connected {
        lines.extend(value_lines(&tile.pump, width, now));
    } else {
        lines.extend(withdrawn_lines(&top.pumps_link));
    }
    let used = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height);
    frame.render_widget(Paragraph::new(lines), inner);
    let rest = Rect { y: inner.y + used, height: inner.height - used, ..inner };
    if connected && rest.height > 0 {
        draw_trend(frame, rest, tile);
    }
}

fn title(pump: &Pump, connected: bool, now: GatewayTime) -> String {
    if !connected {
        return format!(" {} UNKNOWN ", pump.name);
    }
    let age = pump.frame_age(now);
    let age = age.map_or_else(|| "no frame yet".to_owned(), age_text);
    let link = pump.link.to_string().to_uppercase();
    format!(" {} {link} {age}, {} ", pump.name, pump.turning_now(now))
}

/// The worst alarm of the pump; without the alarms' link it says that they are not shown.
fn alarm_line(top: &Top, pump: &Pump, width: usize, local: LocalTime) -> Line<'static> {
    if !top.alarms_link.is_connected() {
        let text = format!("{:<width$}", fit("ALARMS NOT SHOWN HERE", width));
        return Line::styled(text, look::UNKNOWN);
    }
    let alarms = top.alarms_of(&pump.name);
    let Some(worst) = alarms.first() else {
        return Line::styled("no alarm raised", look::LABEL);
    };
    let more = alarms.len() - 1;
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    let parts = worst_parts(worst, top.alarms_now(local));
    let text = fit_parts(&parts, width.saturating_sub(more.len()));
    Line::styled(format!("{text}{more}"), look::priority(worst.priority))
}

fn worst_parts(alarm: &Alarm, now: GatewayTime) -> Vec<String> {
    let head = format!(
        "{} {} {}",
        priority_mark(alarm.priority).trim_end(),
        priority_label(alarm.priority).trim_end(),
        condition_text(&alarm.condition),
    );
    let known = if alarm.last_known { "LAST KNOWN" } else { "" };
    let mut parts = vec![head, known.to_owned()];
    parts.extend(evidence_parts(alarm, now));
    parts
}

fn value_lines(pump: &Pump, width: usize, now: GatewayTime) -> Vec<Line<'static>> {
    let find = |id: &str| pump.readings.iter().find(|reading| reading.parameter == id);
    let known = VALUES.iter().filter_map(|(id, label)| Some((*label, find(id)?)));
    let mut lines: Vec<_> = known
        .take(VALUES_MAX)
        .map(|(label, each)| value_line(pump, label, each, width, now))
        .collect();
    if lines.is_empty() {
        // A pump with none of these channels shows what it has.
        let others = pump.readings.iter().take(VALUES_MAX);
        lines.extend(others.map(|each| value_line(pump, &each.parameter, each, width, now)));
    }
    if lines.is_empty() {
        lines.push(Line::styled("--- no readings", look::WITHDRAWN));
    }
    lines
}

/// One reading; its age is never cut off, the label and the reason are.
fn value_line(
    pump: &Pump,
    label: &str,
    reading: &Reading,
    width: usize,
    now: GatewayTime,
) -> Line<'static> {
    let shown = pump.shown(reading, now);
    let style = value_style(shown);
    let text = fit_value(&reading_text(reading, shown), width.saturating_sub(LABEL_WIDTH + 1));
    Line::from(vec![
        Span::styled(format!("{:<LABEL_WIDTH$} ", fit(label, LABEL_WIDTH)), look::LABEL),
        Span::styled(text, style),
    ])
}

/// The look of a reading: only what holds now looks like a value.
pub(crate) const fn value_style(shown: Shown) -> Style {
    match shown {
        Shown::Now { .. } => look::VALUE,
        Shown::None { .. } => look::WITHDRAWN,
    }
}

/// A reading that fits whole. Else a withdrawn one keeps its reason and loses the last value with its age; one that holds
/// goes, because a number without its age, or half a number, is worse than none.
fn fit_value(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let reason = text.split(" (").next().filter(|reason| reason.starts_with(NO_VALUE));
    reason.map_or_else(|| fit("… too narrow", width), |reason| fit(reason, width))
}

fn withdrawn_lines(link: &Link) -> Vec<Line<'static>> {
    let why = match link {
        Link::Connecting(_) => "waiting for the gateway",
        Link::Connected | Link::Lost { .. } => "no connection to the gateway",
    };
    vec![
        Line::styled(" UNKNOWN ", look::UNKNOWN),
        Line::styled(why, look::PLAIN),
        Line::styled("values withdrawn: look at the pump", look::PLAIN),
    ]
}

/// A sparkline of what arrived, scaled to its own span, which is written beside it; gaps stay gaps.
fn draw_trend(frame: &mut Frame, area: Rect, tile: &Tile) {
    let Some(reading) = trend_reading(&tile.pump) else {
        return;
    };
    let label = reading.parameter.split('.').next_back().unwrap_or_default();
    let scale_width = 14.min(area.width);
    let width = area.width - scale_width;
    let points: Vec<Option<f32>> =
        tile.trend.iter().rev().take(usize::from(width)).rev().copied().collect();
    let values = || points.iter().flatten().copied();
    let (least, greatest) = values()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(least, greatest), value| {
            (least.min(value), greatest.max(value))
        });
    if !least.is_finite() {
        return;
    }
    let span = format!("{}..{}", number_text(least, 0), number_text(greatest, 0));
    let scale =
        vec![Line::styled(fit(&span, 13), look::LABEL), Line::styled(fit(label, 13), look::LABEL)];
    frame.render_widget(Paragraph::new(scale), Rect { width: scale_width, ..area });
    let bars = points.iter().map(|point| point.map(|value| bar_height(value, least, greatest)));
    let place = Rect { x: area.x + scale_width, width, ..area };
    frame.render_widget(
        Sparkline::default().data(bars.collect::<Vec<_>>()).max(BAR_MAX).absent_value_symbol("·"),
        place,
    );
}

/// Height of the tallest bar, in steps.
const BAR_MAX: u64 = 100;

/// At least one step, so that the least value still differs from a gap; a flat line lies in the middle.
fn bar_height(value: f32, least: f32, greatest: f32) -> u64 {
    let span = greatest - least;
    if span <= f32::EPSILON {
        return BAR_MAX / 2;
    }
    let share = ((value - least) / span).clamp(0.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 85 by the clamp"
    )]
    let height = (share * 85.0) as u64;
    // The lowest eighth of a one-line bar is drawn from here on.
    15 + height
}

/// Draws what stands where no pump is known.
pub(crate) fn draw_none(frame: &mut Frame, area: Rect, top: &Top) {
    let text = match &top.pumps_link {
        Link::Connected => "the gateway knows no pump yet: is an agent running?".to_owned(),
        Link::Connecting(_) => format!("WAITING for the gateway at {}", top.url),
        Link::Lost { .. } => "UNKNOWN: no connection to the gateway".to_owned(),
    };
    frame.render_widget(Paragraph::new(text).block(Block::bordered()), area);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_value_goes_before_its_age_would() {
        assert_eq!(fit_value("412 mL/min", 12), "412 mL/min");
        assert_eq!(fit_value("--- silent (412 mL/min, 14 s ago)", 20), "--- silent");
        assert_eq!(fit_value("412 mL/min (1.4 s ago)", 12), "… too narrow");
        assert_eq!(fit_value("412 mL/min", 5), "… to…");
    }
}
