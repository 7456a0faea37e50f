//! `top` on a real terminal of its own: what it paints, confirms and answers for.
