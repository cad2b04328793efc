#' What libhabitus is, and what it was given
#'
#' @return A list: `version` of the library; `variant`, the processor that its kernels are for, chosen when it was
#'   loaded; `candidates`, the numbers of candidates that have a kernel of their own. Any other number is scored too.
#' @examples
#' habitus_info()$candidates
#' @export
habitus_info <- function() .Call(C_info)
