/*
 * Names that Ruby itself answers inside a block of a definition, so that they never become an expression there: the private methods of
 * Kernel and Object, and the few public ones that the blocks of Ruote keep. With an underscore before them they do become one.
 */
const WORDS =
  'Array Complex Float Hash Integer Rational String __callee__ __dir__ __id__ __method__ __send__ abort at_exit autoload autoload? ' +
  'binding block_given? caller caller_locations catch eval exec exit exit! fail fork format gem gem_original_require gets ' +
  'global_variables initialize initialize_clone initialize_copy initialize_dup instance_eval iterator? lambda load local_variables loop ' +
  'method_missing object_id open p pp print printf proc putc puts raise rand readline readlines require require_relative respond_to? ' +
  'respond_to_missing? select set_trace_func singleton_method_added singleton_method_removed singleton_method_undefined sleep spawn ' +
  'sprintf srand syscall system test throw to_a trace_var trap untrace_var warn';

export const RUBYS_OWN: ReadonlySet<string> = new Set(WORDS.split(' '));
