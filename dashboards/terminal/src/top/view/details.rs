//! One pump in full: every reading with its age, its alarms, its counters, the channels that are not read.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};

use crate::age::{GatewayTime, LocalTime, age_text};
use crate::format::{parameter_name, reading_text};
use crate::model::{Pump, Source};
use crate::top::state::Top;
use crate::top::view::{look, tile};
use crate::words::alarm_line;

/// Width from which the facts stand beside the readings instead of below them.
const TWO_COLUMNS_WIDTH: u16 = 100;

const NAME_WIDTH: usize = 30;

/// Draws the selected pump.
pub(crate) fn draw(frame: &mut Frame, area: Rect, top: &Top, local: LocalTime) {
    let selected = top.selected_pump.as_ref().and_then(|name| top.tiles.get(name));
    let Some(tile) = selected else {
        return tile::draw_none(frame, area, top);
    };
    let pump = &tile.pump;
    let block = Block::bordered().title(format!(" {} (Esc: all pumps) ", pump.name));
    let inner = block.inner(area);
    frame.render_widget(block, area);
    if !top.pumps_link.is_connected() {
        let lines = vec![
            Line::styled(" UNKNOWN ", look::UNKNOWN),
            Line::raw("no connection to the gateway, values withdrawn: look at the pump"),
        ];
        return frame.render_widget(Paragraph::new(lines), inner);
    }
    let now = top.pumps_now(local);
    let mut left = vec![link_line(pump, now), Line::raw("")];
    left.extend(pump.readings.iter().map(|reading| {
        let shown = pump.shown(reading, now);
        Line::from(vec![
            Span::styled(
                format!("{:<NAME_WIDTH$} ", parameter_name(&reading.parameter)),
                look::LABEL,
            ),
            Span::styled(reading_text(reading, shown), tile::value_style(shown)),
        ])
    }));
    let facts = facts(top, pump, local);
    let both = if inner.width >= TWO_COLUMNS_WIDTH {
        Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(inner)
    } else {
        let readings = u16::try_from(left.len()).unwrap_or(u16::MAX);
        Layout::vertical([Constraint::Max(readings), Constraint::Fill(1)]).areas(inner)
    };
    let [readings_area, facts_area] = both;
    frame.render_widget(Paragraph::new(left), readings_area);
    frame.render_widget(Paragraph::new(facts).wrap(Wrap { trim: false }), facts_area);
}

fn link_line(pump: &Pump, now: GatewayTime) -> Line<'static> {
    let age = pump.frame_age(now);
    let frame = age.map_or_else(
        || "no frame yet".to_owned(),
        |age| format!("last frame {} ago", age_text(age)),
    );
    Line::styled(
        format!("{}, {}, {frame}", pump.link.to_string().to_uppercase(), pump.turning_now(now)),
        look::VALUE,
    )
}

fn facts(top: &Top, pump: &Pump, local: LocalTime) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if top.alarms_link.is_connected() {
        let alarms = top.alarms_of(&pump.name);
        if alarms.is_empty() {
            lines.push(Line::styled("no alarm raised", look::LABEL));
        }
        let now = top.alarms_now(local);
        lines.extend(alarms.iter().map(|alarm| Line::raw(alarm_line(alarm, now))));
    } else {
        lines.push(Line::styled("ALARMS NOT SHOWN HERE", look::UNKNOWN));
    }
    let source = match pump.source {
        Source::Measured => "measured",
        Source::Simulated => "SIMULATED: no patient",
        Source::Replayed => "REPLAYED: a recording, no patient",
    };
    let count = pump.counters;
    lines.extend([
        Line::raw(format!("{}  agent {}  {source}", pump.device, pump.agent_version)),
        Line::raw(format!(
            "frames: {} received, {} missing, {} duplicate, {} reordered, {} late, {} rejected",
            count.frames_received,
            count.frames_missing,
            count.frames_duplicate,
            count.frames_reordered,
            count.frames_late,
            count.frames_rejected
        )),
        Line::raw(format!(
            "{} invalid samples, {} agent starts, {} clock steps, {} dropouts, {} pump",
            count.samples_invalid, count.boots, count.clock_steps, count.dropouts, pump.kind
        )),
    ]);
    lines.extend(pump.refused_channels.iter().map(|channel| {
        Line::styled(format!("NOT READ: {}: {}", channel.parameter, channel.reason), look::VALUE)
    }));
    lines
}
