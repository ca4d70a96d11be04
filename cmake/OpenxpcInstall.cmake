# What gets installed, in three components: runtime (shared libraries, xpcd), dev (headers, archives, CMake and pkg-config
# files, manual section 3), tools (xpcctl and its like, completions). Included last, since it asks which targets there are.
#
#   CMake        find_package(openxpc): openxpc::xpc, openxpc::xpc_static, openxpc::xpc++, openxpc::xpc++_static,
#                openxpc::plist, openxpc::dispatch, openxpc::compat
#   pkg-config   openxpc, openxpc++, openxpc-plist, openxpc-dispatch, openxpc-compat; archives: pkg-config --static, then cc -static
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/openxpc)
set(pkgconfig_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(staged ${CMAKE_BINARY_DIR}/packaging)

# Outside the system's own directories a program or library in FOLDER finds our libraries from where it is.
function(openxpc_find_libraries_from folder target)
  if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    file(RELATIVE_PATH way ${folder} ${CMAKE_INSTALL_FULL_LIBDIR})
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/${way}")
  endif()
endfunction()

# openxpc_install_library(TARGET NAME DESCRIPTION [ARCHIVE target] [REQUIRES pc ...] [LIBS_PRIVATE flag ...]
#   [FOLDER folder])
# One library of the package: shared, its archive, openxpc::NAME and NAME's .pc file. FOLDER: its headers are in that
# folder below the include directory, which only its users have on their path.
function(openxpc_install_library target name)
  cmake_parse_arguments(ARG "" "ARCHIVE;DESCRIPTION;PC;FOLDER" "REQUIRES;LIBS;LIBS_PRIVATE" ${ARGN})
  set(headers ${CMAKE_INSTALL_INCLUDEDIR})
  set(cflags)
  if(ARG_FOLDER)
    set(headers ${CMAKE_INSTALL_INCLUDEDIR}/${ARG_FOLDER})
    set(cflags CFLAGS "-I\${includedir}/${ARG_FOLDER}")
  endif()
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  openxpc_find_libraries_from(${CMAKE_INSTALL_FULL_LIBDIR} ${target})
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${headers}>)
  install(TARGETS ${target} EXPORT openxpc
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT dev)
  if(ARG_ARCHIVE AND TARGET ${ARG_ARCHIVE})
    set_target_properties(${ARG_ARCHIVE} PROPERTIES EXPORT_NAME ${name}_static)
    target_include_directories(${ARG_ARCHIVE} INTERFACE $<INSTALL_INTERFACE:${headers}>)
    install(TARGETS ${ARG_ARCHIVE} EXPORT openxpc ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
  endif()
  get_target_property(output ${target} OUTPUT_NAME)
  if(NOT output)
    set(output ${target})
  endif()
  openxpc_install_pc(${ARG_PC} DESCRIPTION "${ARG_DESCRIPTION}" REQUIRES ${ARG_REQUIRES}
    LIBS "-l${output}" ${ARG_LIBS} LIBS_PRIVATE ${ARG_LIBS_PRIVATE} ${cflags})
endfunction()

# openxpc_install_pc(NAME DESCRIPTION text [REQUIRES pc ...] [LIBS flag ...] [LIBS_PRIVATE flag ...] [CFLAGS flag ...])
function(openxpc_install_pc pc_name)
  cmake_parse_arguments(PC "" "DESCRIPTION" "REQUIRES;LIBS;LIBS_PRIVATE;CFLAGS" ${ARGN})
  list(JOIN PC_REQUIRES ", " PC_REQUIRES)
  foreach(words LIBS LIBS_PRIVATE CFLAGS)
    list(JOIN PC_${words} " " PC_${words})
  endforeach()
  set(PC_NAME ${pc_name})
  # Relative to the file itself, so that a staged or moved tree works where it is.
  file(RELATIVE_PATH PC_PREFIX ${CMAKE_INSTALL_PREFIX}/${pkgconfig_dir} ${CMAKE_INSTALL_PREFIX})
  configure_file(${PROJECT_SOURCE_DIR}/packaging/openxpc.pc.in ${staged}/${pc_name}.pc @ONLY)
  install(FILES ${staged}/${pc_name}.pc DESTINATION ${pkgconfig_dir} COMPONENT dev)
endfunction()

if(TARGET xpc)
  # Programs with blocks need their runtime; a library that is only linked to has no way to say so but this.
  target_link_libraries(xpc INTERFACE BlocksRuntime)
  openxpc_install_library(xpc xpc ARCHIVE xpc_static PC openxpc DESCRIPTION "XPC for Linux: the C library"
    LIBS -lBlocksRuntime LIBS_PRIVATE -lstdc++ -lm -pthread)

  # The C++ API is headers over the C library; which form of it is the user's choice of target.
  foreach(form "" _static)
    if(TARGET xpc${form} AND NOT TARGET xpc++${form})
      add_library(xpc++${form} INTERFACE)
      target_link_libraries(xpc++${form} INTERFACE xpc${form})
      target_compile_features(xpc++${form} INTERFACE cxx_std_20)
      add_library(openxpc::xpc++${form} ALIAS xpc++${form})
      install(TARGETS xpc++${form} EXPORT openxpc)
    endif()
  endforeach()
  openxpc_install_pc(openxpc++ DESCRIPTION "XPC for Linux: the C++ API (headers)" REQUIRES openxpc)

  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev
    FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

  if(TARGET xpc-plist)
    openxpc_install_library(xpc-plist plist ARCHIVE xpc-plist_static PC openxpc-plist
      DESCRIPTION "XPC for Linux: property lists and JSON" REQUIRES openxpc LIBS_PRIVATE -lexpat -lstdc++)
  endif()
  if(TARGET xpc-dispatch)
    openxpc_install_library(xpc-dispatch dispatch ARCHIVE xpc-dispatch_static PC openxpc-dispatch
      DESCRIPTION "XPC for Linux: dispatch queues where there is no libdispatch"
      LIBS -lBlocksRuntime LIBS_PRIVATE -Wl,-u,openxpc_dispatch_table -lstdc++ -pthread)
    target_link_libraries(xpc-dispatch INTERFACE BlocksRuntime)
    # It offers itself to libxpc when it is loaded; out of an archive nobody would ask for that part.
    target_link_options(xpc-dispatch_static INTERFACE -Wl,-u,openxpc_dispatch_table)
    # Its headers stand where a real libdispatch has its own.
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/compat/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
      COMPONENT dev FILES_MATCHING PATTERN "*.h")
  elseif(TARGET xpc-real-dispatch)
    # The same names for the system's own.
    set_target_properties(xpc-real-dispatch PROPERTIES EXPORT_NAME dispatch)
    install(TARGETS xpc-real-dispatch EXPORT openxpc)
    openxpc_install_pc(openxpc-dispatch DESCRIPTION "XPC for Linux: the libdispatch of this system"
      LIBS -ldispatch -lBlocksRuntime)
  endif()

  if(TARGET xpc-compat)
    openxpc_install_library(xpc-compat compat ARCHIVE xpc-compat_static PC openxpc-compat FOLDER openxpc-compat
      DESCRIPTION "XPC for Linux: headers of Apple's systems that sources include around XPC" REQUIRES openxpc
      LIBS_PRIVATE -lstdc++ -pthread)
    target_link_libraries(xpc-compat INTERFACE xpc)
    target_link_libraries(xpc-compat_static INTERFACE xpc_static)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/compat/platform/include/ DESTINATION
      ${CMAKE_INSTALL_INCLUDEDIR}/openxpc-compat COMPONENT dev FILES_MATCHING PATTERN "*.h")
  endif()

  install(EXPORT openxpc NAMESPACE openxpc:: FILE openxpc-targets.cmake DESTINATION ${config_dir} COMPONENT dev)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/packaging/openxpc-config.cmake.in
    ${staged}/openxpc-config.cmake INSTALL_DESTINATION ${config_dir})
  # Before 1.0 each minor version may change the library's interface.
  write_basic_package_version_file(${staged}/openxpc-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${staged}/openxpc-config.cmake ${staged}/openxpc-config-version.cmake
    DESTINATION ${config_dir} COMPONENT dev)
endif()

if(TARGET xpcd)
  openxpc_find_libraries_from(${CMAKE_INSTALL_FULL_BINDIR} xpcd)
endif()
foreach(tool xpcctl xpcsign)
  if(TARGET ${tool})
    openxpc_find_libraries_from(${CMAKE_INSTALL_FULL_BINDIR} ${tool})
    install(TARGETS ${tool} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
  endif()
endforeach()
# Units of xpcd for systemd, the system's and a user's. Both managers look below lib, whatever the machine calls its
# directory of libraries.
foreach(manager system user)
  set(prefix)
  if(manager STREQUAL "user")
    set(prefix user-)
  endif()
  configure_file(${PROJECT_SOURCE_DIR}/packaging/systemd/${prefix}xpcd.service.in
    ${staged}/systemd/${manager}/xpcd.service @ONLY)
  configure_file(${PROJECT_SOURCE_DIR}/packaging/systemd/${prefix}xpcd.socket
    ${staged}/systemd/${manager}/xpcd.socket COPYONLY)
  install(FILES ${staged}/systemd/${manager}/xpcd.service ${staged}/systemd/${manager}/xpcd.socket
    DESTINATION lib/systemd/${manager} COMPONENT runtime)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/packaging/sysusers/openxpc.conf DESTINATION lib/sysusers.d COMPONENT runtime)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/packaging/xpc-upgrade
  DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/openxpc COMPONENT tools)
if(EXISTS ${PROJECT_SOURCE_DIR}/packaging/completions/xpcctl.bash)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/completions/xpcctl.bash RENAME xpcctl
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT tools)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/completions/xpcctl.zsh RENAME _xpcctl
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT tools)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/completions/xpcctl.fish
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT tools)
endif()

# man(1) finds a page by the name of a file, unless somebody has made an index: each further function among the names of
# a page is a file that refers to it.
function(openxpc_install_further_names page)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page})
  get_filename_component(own ${page} NAME)
  file(STRINGS ${page} lines REGEX "^\\.(Sh|Nm) ")
  foreach(line ${lines})
    if(line MATCHES "^\\.Sh (.*)$")
      string(COMPARE EQUAL "${CMAKE_MATCH_1}" NAME among_names)
    elseif(among_names AND line MATCHES "^\\.Nm (_?(open)?xpc_[a-z0-9_]+|launch_[a-z0-9_]+)")
      set(further ${CMAKE_MATCH_1}.3)
      if(NOT EXISTS ${PROJECT_SOURCE_DIR}/docs/man/${further})
        file(CONFIGURE OUTPUT ${staged}/man3/${further} CONTENT ".so man3/${own}\n" @ONLY)
        install(FILES ${staged}/man3/${further} DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT dev)
      endif()
    endif()
  endforeach()
endfunction()

file(GLOB pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.[1-9])
foreach(page ${pages})
  string(REGEX MATCH "[1-9]$" section ${page})
  set(component dev)
  if(section MATCHES "[158]")
    set(component tools)
  endif()
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${component})
  if(section EQUAL 3)
    openxpc_install_further_names(${page})
  endif()
endforeach()
