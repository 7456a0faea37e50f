//! A sparkline of what arrived, scaled to its own span; gaps stay gaps.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Sparkline};

use crate::format::{fit, number_text};
use crate::top::state::{Tile, trend_reading};
use crate::top::view::look;

/// Width of the scale beside a sparkline: two numbers of five digits with their signs.
const SCALE_WIDTH: u16 = 14;

/// Fewer points than this tell nothing.
const POINTS_MIN: u16 = 8;

/// Height of the tallest bar, in steps.
const BAR_MAX: u64 = 100;

/// The points that fit, their least and their greatest value; `None` without any value.
fn points(tile: &Tile, width: u16) -> Option<(Vec<Option<f32>>, f32, f32)> {
    let points: Vec<Option<f32>> =
        tile.trend.iter().rev().take(usize::from(width)).rev().copied().collect();
    let values = || points.iter().flatten().copied();
    let least = values().reduce(f32::min)?;
    let greatest = values().reduce(f32::max)?;
    Some((points, least, greatest))
}

/// Draws a sparkline with its scale and the name of what it shows.
pub(crate) fn draw(frame: &mut Frame, area: Rect, tile: &Tile) {
    let width = area.width.saturating_sub(SCALE_WIDTH);
    let Some((points, least, greatest)) = points(tile, width) else {
        return;
    };
    let shown = trend_reading(&tile.pump).map(|reading| reading.parameter.as_str());
    let label = fit(shown.unwrap_or_default(), usize::from(SCALE_WIDTH) - 1);
    let span = format!("{}..{}", number_text(least, 0), number_text(greatest, 0));
    let span = if span.len() < usize::from(SCALE_WIDTH) { span } else { String::new() };
    let scale = vec![Line::styled(span, look::LABEL), Line::styled(label, look::LABEL)];
    frame.render_widget(Paragraph::new(scale), Rect { width: SCALE_WIDTH.min(area.width), ..area });
    let place = Rect { x: area.right() - width, width, ..area };
    draw_bars(frame, place, &points, least, greatest);
}

/// Draws a sparkline alone, beside the value that it belongs to.
pub(crate) fn draw_beside(frame: &mut Frame, area: Rect, tile: &Tile) {
    let of_first_value =
        trend_reading(&tile.pump).is_some_and(|reading| reading.parameter == "flow.blood");
    if area.width < POINTS_MIN || !of_first_value {
        return;
    }
    if let Some((points, least, greatest)) = points(tile, area.width) {
        draw_bars(frame, area, &points, least, greatest);
    }
}

fn draw_bars(frame: &mut Frame, area: Rect, points: &[Option<f32>], least: f32, greatest: f32) {
    let bars = points.iter().map(|point| point.map(|value| bar_height(value, least, greatest)));
    let bars: Vec<Option<u64>> = bars.collect();
    let line = Sparkline::default().data(bars).max(BAR_MAX).absent_value_symbol("·");
    frame.render_widget(line, area);
}

/// At least some steps, so that the least value still differs from a gap; a flat line lies in the middle.
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
