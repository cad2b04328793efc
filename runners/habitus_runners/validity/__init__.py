"""Properties that must hold on a world whose truth is known (method, section 8): V1-V12, but for V10."""
