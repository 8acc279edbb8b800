<?php
/**
 * The page in wp-admin: where Löfte is, and whether everything holds.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

final class Settings {
	public static function start(): void {
		add_action( 'init', array( __CLASS__, 'languages' ), 0 );
		add_action( 'admin_menu', array( __CLASS__, 'menu' ) );
		add_action( 'admin_init', array( __CLASS__, 'register' ) );
		add_action( 'admin_notices', array( __CLASS__, 'notice' ) );
		add_action( 'update_option_' . Kit::OPTION, array( Kit::class, 'forget' ) );
	}

	public static function languages(): void {
		load_plugin_textdomain( 'lofte', false, dirname( plugin_basename( LOFTE_FILE ) ) . '/languages' );
	}

	public static function menu(): void {
		add_options_page( 'Löfte', 'Löfte', 'manage_options', 'lofte', array( __CLASS__, 'page' ) );
	}

	public static function register(): void {
		register_setting( 'lofte', Kit::OPTION, array( 'type' => 'array', 'sanitize_callback' => array( __CLASS__, 'clean' ) ) );
	}

	/** @return array<string, string> */
	public static function clean( $sent ): array {
		$sent  = is_array( $sent ) ? array_map( 'strval', array_filter( $sent, 'is_scalar' ) ) : array();
		$clean = array(
			'url'    => esc_url_raw( trim( $sent['url'] ?? '' ), array( 'http', 'https' ) ),
			'market' => preg_match( '/^[a-z]{2}$/D', strtolower( $sent['market'] ?? '' ) ) ? strtolower( $sent['market'] ) : 'se',
			'locale' => preg_match( '/^[a-z]{2}(?:-[A-Z]{2})?$/D', $sent['locale'] ?? '' ) ? $sent['locale'] : 'sv',
			'key'    => trim( $sent['key'] ?? '' ),
			'forms'  => sanitize_textarea_field( $sent['forms'] ?? '' ),
		);
		if ( '' === $clean['key'] ) {
			$clean['key'] = Kit::settings()['key'];
		} elseif ( strlen( $clean['key'] ) < 32 ) {
			add_settings_error( Kit::OPTION, 'key', __( 'The key is too short: 32 characters or more.', 'lofte' ) );
			$clean['key'] = Kit::settings()['key'];
		}
		return $clean;
	}

	public static function notice(): void {
		if ( current_user_can( 'manage_options' ) && Kit::current()->is_denied ) {
			echo '<div class="notice notice-error" id="lofte-denied"><p><strong>Löfte</strong>: '
				. esc_html__( 'What your policy declares could not be fetched, so nothing third-party is let in on this site, whatever visitors chose.', 'lofte' ) . ' '
				. esc_html( (string) get_transient( Kit::FAILED ) ) . ' <a href="' . esc_url( admin_url( 'options-general.php?page=lofte' ) ) . '">'
				. esc_html__( 'Settings', 'lofte' ) . '</a></p></div>';
		}
	}

	/**
	 * What is checked, each with whether it holds and what to do about it.
	 *
	 * @return array<int, array{0: bool, 1: string, 2: string}>
	 */
	public static function checks(): array {
		$kit     = Kit::current();
		$checks  = array();
		$checks[] = array( ! $kit->is_denied, __( 'Löfte answers and its policy is known', 'lofte' ), (string) get_transient( Kit::FAILED ) );
		$checks[] = array( strlen( Kit::settings()['key'] ) >= 32, __( 'A key is set, so that privacy requests reach this site', 'lofte' ), __( 'Make one below and put the same into Löfte.', 'lofte' ) );
		$home     = wp_remote_get( home_url( '/' ), array( 'timeout' => 5, 'redirection' => 2, 'cookies' => array() ) );
		$is_there = ! is_wp_error( $home );
		$body     = $is_there ? wp_remote_retrieve_body( $home ) : '';
		$checks[] = array( $is_there && false !== strpos( $body, 'data-lofte="guard"' ) && false !== strpos( (string) wp_json_encode( wp_remote_retrieve_header( $home, 'content-security-policy' ) ), "script-src" ), __( 'The front page leaves with the guard and the policy header', 'lofte' ), __( 'A page cache may hold pages from before: empty it.', 'lofte' ) );
		$checks[] = array( $is_there && strpos( $body, '<script' ) === strpos( $body, '<script data-lofte="guard"' ), __( 'The guard is the first script', 'lofte' ), __( 'Something writes into pages after this plugin.', 'lofte' ) );
		$checks[] = array( $is_there && ! wp_remote_retrieve_header( $home, 'set-cookie' ), __( 'A first visit sets no cookie', 'lofte' ), '' );
		$own      = wp_remote_get( home_url( '/lofte/static/frames.css' ), array( 'timeout' => 5, 'redirection' => 0 ) );
		$checks[] = array( ! is_wp_error( $own ) && 200 === wp_remote_retrieve_response_code( $own ), __( '/lofte/ of this site leads to Löfte', 'lofte' ), __( 'Permalinks must not be plain, or your web server must pass /lofte/ on.', 'lofte' ) );
		return $checks;
	}

	/** How much Löfte has on record, when that was counted, and of which publication. No personal data: the head of a public log. */
	private static function records(): void {
		$kit    = Kit::current();
		$answer = Kit::ask( 'GET', '/lofte/log/checkpoint' );
		$lines  = is_wp_error( $answer ) || 200 !== wp_remote_retrieve_response_code( $answer ) ? array() : explode( "\n", wp_remote_retrieve_body( $answer ) );
		echo '<h2>' . esc_html__( 'Records', 'lofte' ) . '</h2>';
		if ( ! ctype_digit( $lines[1] ?? '' ) || $kit->is_denied ) {
			echo '<p id="lofte-records">' . esc_html__( 'The log of Löfte could not be read.', 'lofte' ) . '</p>';
			return;
		}
		$settings = Kit::settings();
		$versions = home_url( '/lofte/policy/' . rawurlencode( $settings['market'] ) . '/' . rawurlencode( $settings['locale'] ) . '/versions/' );
		$rows     = array(
			array( __( 'Entries in the evidence log (choices, publications, checks)', 'lofte' ), number_format_i18n( (int) $lines[1] ) ),
			array( __( 'Counted', 'lofte' ), wp_date( get_option( 'date_format' ) . ' ' . get_option( 'time_format' ) ) ),
			array( __( 'Publication in force', 'lofte' ), substr( $kit->word( 'digest' ), 0, 16 ) ),
		);
		echo '<table class="widefat striped" id="lofte-records" style="max-width:50em"><tbody>';
		foreach ( $rows as $row ) {
			echo '<tr><th scope="row">' . esc_html( $row[0] ) . '</th><td>' . esc_html( $row[1] ) . '</td></tr>';
		}
		echo '</tbody></table><p><a href="' . esc_url( $versions ) . '">' . esc_html__( 'All versions of the policy', 'lofte' ) . '</a> · <a href="'
			. esc_url( Kit::base() . '/console/' ) . '">' . esc_html__( 'Open the console of Löfte', 'lofte' ) . '</a></p>';
	}

	public static function page(): void {
		if ( ! current_user_can( 'manage_options' ) ) {
			return;
		}
		if ( isset( $_GET['lofte-fetch'] ) && check_admin_referer( 'lofte-fetch' ) ) {
			Kit::forget();
			Kit::fetch();
		}
		$settings = Kit::settings();
		$fields   = array(
			'url'    => array( __( 'Address of Löfte, as this server reaches it', 'lofte' ), 'url', $settings['url'] ),
			'market' => array( __( 'Market', 'lofte' ), 'text', $settings['market'] ),
			'locale' => array( __( 'Language', 'lofte' ), 'text', $settings['locale'] ),
			'key'    => array( __( 'Key shared with Löfte (leave empty to keep it)', 'lofte' ), 'password', '' ),
		);
		echo '<div class="wrap"><h1>Löfte</h1><h2>' . esc_html__( 'Self-check', 'lofte' ) . '</h2><ul id="lofte-checks">';
		foreach ( self::checks() as $check ) {
			echo '<li data-holds="' . ( $check[0] ? 'yes' : 'no' ) . '"><span aria-hidden="true">' . ( $check[0] ? '✓' : '✗' ) . '</span> ' . esc_html( $check[1] ) . ': <strong>'
				. esc_html( $check[0] ? __( 'yes', 'lofte' ) : __( 'no', 'lofte' ) ) . '</strong>' . ( $check[0] || '' === $check[2] ? '' : '. ' . esc_html( $check[2] ) ) . '</li>';
		}
		echo '</ul><p><a class="button" href="' . esc_url( wp_nonce_url( admin_url( 'options-general.php?page=lofte&lofte-fetch=1' ), 'lofte-fetch' ) ) . '">' . esc_html__( 'Fetch again', 'lofte' ) . '</a></p>';
		self::records();
		echo '<h2>' . esc_html__( 'Settings', 'lofte' ) . '</h2><form method="post" action="options.php">';
		settings_fields( 'lofte' );
		echo '<table class="form-table" role="presentation">';
		foreach ( $fields as $name => $field ) {
			printf( '<tr><th scope="row"><label for="lofte-%1$s">%2$s</label></th><td><input class="regular-text" id="lofte-%1$s" name="%3$s[%1$s]" type="%4$s" value="%5$s" autocomplete="off"></td></tr>', esc_attr( $name ), esc_html( $field[0] ), esc_attr( Kit::OPTION ), esc_attr( $field[1] ), esc_attr( $field[2] ) );
		}
		printf( '<tr><th scope="row"><label for="lofte-forms">%1$s</label></th><td><textarea class="large-text code" rows="4" id="lofte-forms" name="%2$s[forms]">%3$s</textarea><p class="description">%4$s</p></td></tr>', esc_html__( 'Forms sent on to Löfte', 'lofte' ), esc_attr( Kit::OPTION ), esc_textarea( $settings['forms'] ), '<code>cf7:12 = contact; your-email = email; your-name = name; news ? newsletter/email</code>' );
		echo '</table>';
		submit_button();
		echo '</form></div>';
	}
}
