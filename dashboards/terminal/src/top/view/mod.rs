//! The picture: layout, and who draws which part. Nothing here decides what is true; that is `state`.

mod bar;

mod tile;

mod trend;

mod alarms;

mod details;

mod popup;

mod look;

use jiff::Zoned;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

use crate::age::LocalTime;
use crate::client::ShownAlarm;
use crate::top::state::{Mode, Top};

/// Least width of a tile: a withdrawn value with its reason and age stays readable.
const TILE_WIDTH_MIN: u16 = 38;

/// Least height of a tile: frame, alarm, five readings.
const TILE_HEIGHT_MIN: u16 = 8;

/// Height beyond which a tile grows no more: its readings and a taller sparkline.
const TILE_HEIGHT_MAX: u16 = 14;

/// Least height of the alarm list, with its title.
const ALARMS_HEIGHT_MIN: u16 = 4;

/// Draws everything; returns the alarms that are readable on the screen.
pub(crate) fn draw(
    frame: &mut Frame,
    top: &Top,
    local: LocalTime,
    wall: &Zoned,
) -> Vec<ShownAlarm> {
    let bar_height = bar::height(top);
    let [bar_area, middle, foot] = Layout::vertical([
        Constraint::Length(bar_height),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    bar::draw(frame, bar_area, top, local, wall);
    bar::draw_foot(frame, foot, top, local);
    let grid = Grid::new(top.tiles.len(), middle);
    let tiles_height = middle.height.saturating_sub(ALARMS_HEIGHT_MIN).min(grid.height_wanted());
    // What the tiles do not fill, the list may have.
    let (rows, height) = grid.fitting(tiles_height);
    let tiles_height = match &top.mode {
        Mode::Details => middle.height.saturating_sub(list_height(top, middle.height)),
        Mode::Overview | Mode::Help | Mode::Acknowledge { .. } => {
            rows.saturating_mul(height).min(tiles_height)
        }
    };
    let [main, list] =
        Layout::vertical([Constraint::Length(tiles_height), Constraint::Min(0)]).areas(middle);
    let shown = alarms::draw(frame, list, top, local);
    match &top.mode {
        Mode::Details => details::draw(frame, main, top, local),
        Mode::Overview | Mode::Help | Mode::Acknowledge { .. } => {
            draw_tiles(frame, main, top, local);
        }
    }
    match &top.mode {
        Mode::Help => popup::draw_help(frame, frame.area()),
        Mode::Acknowledge { shown, name } => {
            popup::draw_acknowledge(frame, frame.area(), top, shown, name, local);
        }
        Mode::Overview | Mode::Details => return shown,
    }
    // A window lies over the list: what is below it was not seen.
    Vec::new()
}

/// Lines of the list beside one pump in full: every alarm with the title, a third of the screen at most.
fn list_height(top: &Top, height: u16) -> u16 {
    let wanted = u16::try_from(top.alarms.len() + 1).unwrap_or(u16::MAX);
    wanted.min(height / 3).max(ALARMS_HEIGHT_MIN)
}

/// How many tiles lie beside and below each other.
struct Grid {
    columns: u16,
    rows: u16,
    count: usize,
}

impl Grid {
    fn new(count: usize, area: Rect) -> Self {
        let fit = (area.width / TILE_WIDTH_MIN).max(1);
        let count_u16 = u16::try_from(count.max(1)).unwrap_or(u16::MAX);
        // Square first: four tiles stand two by two also where four would fit in a row.
        let mut columns = 1;
        while columns < fit && columns.saturating_mul(columns) < count_u16 {
            columns += 1;
        }
        Self { columns, rows: count_u16.div_ceil(columns), count }
    }

    /// The height that shows every tile well.
    fn height_wanted(&self) -> u16 {
        self.rows.saturating_mul(TILE_HEIGHT_MAX)
    }

    /// The rows that fit, and their height.
    fn fitting(&self, height: u16) -> (u16, u16) {
        let rows = (height / TILE_HEIGHT_MIN).clamp(1, self.rows.max(1));
        (rows, (height / rows).min(TILE_HEIGHT_MAX))
    }
}

fn draw_tiles(frame: &mut Frame, area: Rect, top: &Top, local: LocalTime) {
    if top.tiles.is_empty() {
        return tile::draw_none(frame, area, top);
    }
    let grid = Grid::new(top.tiles.len(), area);
    let (rows, height) = grid.fitting(area.height);
    let page = usize::from(rows) * usize::from(grid.columns);
    let selected = top.selected_pump.as_ref();
    let position = top.tiles.keys().position(|name| Some(name) == selected).unwrap_or(0);
    let first = position / page * page;
    let width = area.width / grid.columns;
    for (index, (name, one)) in top.tiles.iter().skip(first).take(page).enumerate() {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        let (row, column) = (index / grid.columns, index % grid.columns);
        let place = Rect {
            x: area.x + column * width,
            y: area.y + row * height,
            width: if column + 1 == grid.columns { area.width - column * width } else { width },
            height,
        };
        tile::draw(frame, place.intersection(area), top, one, selected == Some(name), local);
    }
    if grid.count > page {
        let last = (first + page).min(grid.count);
        bar::draw_page(frame, area, &format!(" pumps {} to {last} of {} ", first + 1, grid.count));
    }
}
